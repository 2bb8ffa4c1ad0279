// What became of a transaction that the standard client does not know the outcome of.
import { msp, gateway as protos } from "@hyperledger/fabric-protos";

/** The outcome of a transaction of which nothing is known but its id. */
export function statusOf(gateway, channel, transactionId) {
  const { mspId, credentials } = gateway.getIdentity();
  const creator = new msp.SerializedIdentity();
  creator.setMspid(mspId);
  creator.setIdBytes(credentials);
  const request = new protos.CommitStatusRequest();
  request.setChannelId(channel);
  request.setTransactionId(transactionId);
  request.setIdentity(creator.serializeBinary());
  const unsigned = new protos.SignedCommitStatusRequest();
  unsigned.setRequest(request.serializeBinary());
  return gateway.newCommit(unsigned.serializeBinary()).getStatus({ deadline: Date.now() + 5000 });
}
