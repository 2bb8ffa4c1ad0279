import type { components } from "./schema";

type Schemas = components["schemas"];

export type Account = Schemas["Account"];
export type Address = Schemas["Address"];
export type AccessKey = Schemas["AccessKey"];
export type Application = Schemas["Application"];
export type AuditCheck = Schemas["AuditCheck"];
export type AuditEntry = Schemas["AuditEntry"];
export type Block = Schemas["Block"];
export type BlockSummary = Schemas["BlockSummary"];
export type Chaincode = Schemas["Chaincode"];
export type Change = Schemas["Change"];
export type Channel = Schemas["Channel"];
export type ConsensusKind = Schemas["ConsensusKind"];
export type Consortium = Schemas["Consortium"];
export type Contract = Schemas["Contract"];
export type DecodedCall = Schemas["DecodedCall"];
export type Engine = Schemas["Engine"];
export type EngineVersion = Schemas["EngineVersion"];
export type Grant = Schemas["Grant"];
export type Log = Schemas["Log"];
export type LogLine = Schemas["LogLine"];
export type Network = Schemas["Network"];
export type NetworkProfile = Schemas["NetworkProfile"];
export type NewChaincode = Schemas["NewChaincode"];
export type NewContract = Schemas["NewContract"];
export type NewNetwork = Schemas["NewNetwork"];
export type Node = Schemas["Node"];
export type Operation = Schemas["Operation"];
export type Organisation = Schemas["Organisation"];
export type Problem = Schemas["Problem"];
export type Role = Schemas["Role"];
export type Server = Schemas["Server"];
export type Session = Schemas["Session"];
export type Statistics = Schemas["Statistics"];
export type Step = Schemas["Step"];
export type Task = Schemas["Task"];
export type Topology = Schemas["Topology"];
export type Transaction = Schemas["Transaction"];
export type TransactionResult = Schemas["TransactionResult"];
export type TransactionSummary = Schemas["TransactionSummary"];
export type Usage = Schemas["Usage"];
export type User = Schemas["User"];

export type Validator = Schemas["Validator"];
export type Validators = Schemas["Validators"];

/** Arguments of a call. The description knows no type for “any JSON value”. */
export type Arguments = NonNullable<Schemas["ContractCall"]["args"]>;

/** One page of a list. */
export interface Page<T> {
  items: T[];
  next?: string | null;
}
