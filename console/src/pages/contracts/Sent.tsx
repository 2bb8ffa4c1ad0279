import type { Contract, TransactionResult } from "../../api/types";
import { formatNumber } from "../../lib/format";
import { Facts } from "../../ui/Facts";
import { TextLink } from "../../ui/links";
import { Status } from "../../ui/Status";

interface SentProps {
  network: string;
  contract: Contract;
  result: TransactionResult;
}

/** What became of a transaction that was sent to a contract. */
export function Sent({ network, contract, result }: SentProps) {
  return (
    <div className="result" role="status">
      <Facts
        items={[
          ["Outcome", <Status key="status" status={result.status} />],
          [
            "Transaction",
            <TextLink
              key="hash"
              className="mono break"
              to="/networks/$network/transactions/$hash"
              params={{ network, hash: result.transactionHash }}
              search={{ channel: contract.channel ?? undefined }}
            >
              {result.transactionHash}
            </TextLink>,
          ],
          ["Block", formatNumber(result.blockNumber)],
          // Ledgers with channels have no gas.
          ["Gas used", contract.channel ? undefined : formatNumber(result.gasUsed)],
        ]}
      />
    </div>
  );
}
