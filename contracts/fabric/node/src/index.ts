// The entry point that the chaincode server of Node.js looks for.
import { AssetContract } from "./contract";

export const contracts = [AssetContract];
