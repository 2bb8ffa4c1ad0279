// A small chaincode that keeps assets: a sample, and what the tests run. It does what the samples in Go and Java do.
import { Context, Contract, Info, Returns, Transaction } from "fabric-contract-api";

// The private data collection that PutAssetDetails and GetAssetDetails use. The chaincode works without it as long as
// they are not called.
const COLLECTION = "details";

// What the ledger keeps under the asset's id, in this order.
interface Asset {
  ID: string;
  Color: string;
  Size: number;
  Owner: string;
  AppraisedValue: number;
}

// Every change sets an event of the function's name that carries the asset.
@Info({ title: "asset", description: "Keeps assets" })
export class AssetContract extends Contract {
  constructor() {
    super("AssetContract");
  }

  @Transaction()
  public async CreateAsset(ctx: Context, id: string, color: string, size: number, owner: string, value: number): Promise<void> {
    const asset = checked(id, color, size, owner, value);
    if (await this.AssetExists(ctx, id)) {
      throw new Error(`the asset ${id} already exists`);
    }
    await write(ctx, "CreateAsset", asset);
  }

  // Gives the asset as JSON.
  @Transaction(false)
  @Returns("string")
  public async ReadAsset(ctx: Context, id: string): Promise<string> {
    const stored = await ctx.stub.getState(id);
    if (stored.length === 0) {
      throw new Error(`the asset ${id} does not exist`);
    }
    return Buffer.from(stored).toString();
  }

  @Transaction()
  public async UpdateAsset(ctx: Context, id: string, color: string, size: number, owner: string, value: number): Promise<void> {
    const asset = checked(id, color, size, owner, value);
    await this.ReadAsset(ctx, id);
    await write(ctx, "UpdateAsset", asset);
  }

  @Transaction()
  public async DeleteAsset(ctx: Context, id: string): Promise<void> {
    const stored = await this.ReadAsset(ctx, id);
    ctx.stub.setEvent("DeleteAsset", Buffer.from(stored));
    await ctx.stub.deleteState(id);
  }

  // Gives the owner before.
  @Transaction()
  @Returns("string")
  public async TransferAsset(ctx: Context, id: string, newOwner: string): Promise<string> {
    const asset = JSON.parse(await this.ReadAsset(ctx, id)) as Asset;
    const before = asset.Owner;
    await write(ctx, "TransferAsset", { ...asset, Owner: newOwner });
    return before;
  }

  @Transaction(false)
  @Returns("boolean")
  public async AssetExists(ctx: Context, id: string): Promise<boolean> {
    return (await ctx.stub.getState(id)).length > 0;
  }

  // Gives a JSON list of all assets, by id.
  @Transaction(false)
  @Returns("string")
  public async GetAllAssets(ctx: Context): Promise<string> {
    const assets: string[] = [];
    for await (const entry of ctx.stub.getStateByRange("", "")) {
      assets.push(Buffer.from(entry.value).toString());
    }
    return `[${assets.join(",")}]`;
  }

  // Takes the private details as the transient value `details`.
  @Transaction()
  public async PutAssetDetails(ctx: Context, id: string): Promise<void> {
    const details = ctx.stub.getTransient().get("details");
    if (details === undefined) {
      throw new Error("the transient value `details` is missing");
    }
    await ctx.stub.putPrivateData(COLLECTION, id, details);
  }

  @Transaction(false)
  @Returns("string")
  public async GetAssetDetails(ctx: Context, id: string): Promise<string> {
    const details = await ctx.stub.getPrivateData(COLLECTION, id);
    if (details.length === 0) {
      throw new Error(`the asset ${id} has no details`);
    }
    return Buffer.from(details).toString();
  }

  public async unknownTransaction(ctx: Context): Promise<void> {
    throw new Error(`there is no function "${ctx.stub.getFunctionAndParameters().fcn}"`);
  }
}

function checked(id: string, color: string, size: number, owner: string, value: number): Asset {
  if (!Number.isSafeInteger(size)) {
    throw new Error(`the size is no whole number: "${size}"`);
  }
  if (!Number.isSafeInteger(value)) {
    throw new Error(`the value is no whole number: "${value}"`);
  }
  if (id === "") {
    throw new Error("the id is empty");
  }
  return { ID: id, Color: color, Size: size, Owner: owner, AppraisedValue: value };
}

async function write(ctx: Context, event: string, asset: Asset): Promise<void> {
  const encoded = Buffer.from(JSON.stringify(asset));
  ctx.stub.setEvent(event, encoded);
  await ctx.stub.putState(asset.ID, encoded);
}
