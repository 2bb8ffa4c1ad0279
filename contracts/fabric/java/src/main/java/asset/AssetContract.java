package asset;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.hyperledger.fabric.contract.Context;
import org.hyperledger.fabric.contract.ContractInterface;
import org.hyperledger.fabric.contract.annotation.Contract;
import org.hyperledger.fabric.contract.annotation.Default;
import org.hyperledger.fabric.contract.annotation.Info;
import org.hyperledger.fabric.contract.annotation.Transaction;
import org.hyperledger.fabric.shim.ChaincodeException;
import org.hyperledger.fabric.shim.ledger.KeyValue;
import org.hyperledger.fabric.shim.ledger.QueryResultsIterator;
import org.json.JSONObject;

/**
 * A small chaincode that keeps assets: a sample, and what the tests run. It does what the samples in Go and TypeScript do.
 * Every change sets an event of the function's name that carries the asset.
 */
@Contract(name = "AssetContract", info = @Info(title = "asset", version = "1.0.0"))
@Default
public final class AssetContract implements ContractInterface {

    /**
     * The private data collection that PutAssetDetails and GetAssetDetails use. The chaincode works without it as long as
     * they are not called.
     */
    private static final String COLLECTION = "details";

    @Transaction(name = "CreateAsset")
    public void createAsset(Context ctx, String id, String color, long size, String owner, long value) {
        check(id);
        if (assetExists(ctx, id)) {
            throw new ChaincodeException("the asset " + id + " already exists");
        }
        write(ctx, "CreateAsset", id, json(id, color, size, owner, value));
    }

    /** Gives the asset as JSON. */
    @Transaction(name = "ReadAsset", intent = Transaction.TYPE.EVALUATE)
    public String readAsset(Context ctx, String id) {
        byte[] stored = ctx.getStub().getState(id);
        if (stored == null || stored.length == 0) {
            throw new ChaincodeException("the asset " + id + " does not exist");
        }
        return new String(stored, StandardCharsets.UTF_8);
    }

    @Transaction(name = "UpdateAsset")
    public void updateAsset(Context ctx, String id, String color, long size, String owner, long value) {
        check(id);
        readAsset(ctx, id);
        write(ctx, "UpdateAsset", id, json(id, color, size, owner, value));
    }

    @Transaction(name = "DeleteAsset")
    public void deleteAsset(Context ctx, String id) {
        ctx.getStub().setEvent("DeleteAsset", readAsset(ctx, id).getBytes(StandardCharsets.UTF_8));
        ctx.getStub().delState(id);
    }

    /** Gives the owner before. */
    @Transaction(name = "TransferAsset")
    public String transferAsset(Context ctx, String id, String newOwner) {
        JSONObject asset = new JSONObject(readAsset(ctx, id));
        String changed = json(id, asset.getString("Color"), asset.getLong("Size"), newOwner, asset.getLong("AppraisedValue"));
        write(ctx, "TransferAsset", id, changed);
        return asset.getString("Owner");
    }

    @Transaction(name = "AssetExists", intent = Transaction.TYPE.EVALUATE)
    public boolean assetExists(Context ctx, String id) {
        byte[] stored = ctx.getStub().getState(id);
        return stored != null && stored.length > 0;
    }

    /** Gives a JSON list of all assets, by id. */
    @Transaction(name = "GetAllAssets", intent = Transaction.TYPE.EVALUATE)
    public String getAllAssets(Context ctx) throws Exception {
        List<String> assets = new ArrayList<>();
        try (QueryResultsIterator<KeyValue> entries = ctx.getStub().getStateByRange("", "")) {
            for (KeyValue entry : entries) {
                assets.add(entry.getStringValue());
            }
        }
        return "[" + String.join(",", assets) + "]";
    }

    /** Takes the private details as the transient value `details`. */
    @Transaction(name = "PutAssetDetails")
    public void putAssetDetails(Context ctx, String id) {
        byte[] details = ctx.getStub().getTransient().get("details");
        if (details == null) {
            throw new ChaincodeException("the transient value `details` is missing");
        }
        ctx.getStub().putPrivateData(COLLECTION, id, details);
    }

    @Transaction(name = "GetAssetDetails", intent = Transaction.TYPE.EVALUATE)
    public String getAssetDetails(Context ctx, String id) {
        byte[] details = ctx.getStub().getPrivateData(COLLECTION, id);
        if (details == null || details.length == 0) {
            throw new ChaincodeException("the asset " + id + " has no details");
        }
        return new String(details, StandardCharsets.UTF_8);
    }

    @Override
    public void unknownTransaction(Context ctx) {
        throw new ChaincodeException("there is no function \"" + ctx.getStub().getFunction() + "\"");
    }

    private static void check(String id) {
        if (id.isEmpty()) {
            throw new ChaincodeException("the id is empty");
        }
    }

    /** By hand: peers must come to the same bytes, and a JSONObject has no order. */
    private static String json(String id, String color, long size, String owner, long value) {
        return "{\"ID\":" + JSONObject.quote(id) + ",\"Color\":" + JSONObject.quote(color) + ",\"Size\":" + size
                + ",\"Owner\":" + JSONObject.quote(owner) + ",\"AppraisedValue\":" + value + "}";
    }

    private static void write(Context ctx, String event, String id, String encoded) {
        byte[] bytes = encoded.getBytes(StandardCharsets.UTF_8);
        ctx.getStub().setEvent(event, bytes);
        ctx.getStub().putState(id, bytes);
    }
}
