package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
)

// collection is the private data collection that PutAssetDetails and GetAssetDetails use. The chaincode works without
// it as long as they are not called.
const collection = "details"

// metadata describes the functions in the form that Fabric's contract libraries give, so that clients can draw forms for
// them. The libraries answer with it under the same name.
//
//go:embed metadata.json
var metadata []byte

// Asset is what the ledger keeps under the asset's id.
type Asset struct {
	ID             string `json:"ID"`
	Color          string `json:"Color"`
	Size           int    `json:"Size"`
	Owner          string `json:"Owner"`
	AppraisedValue int    `json:"AppraisedValue"`
}

// Contract is the chaincode. Every change sets an event of the function's name that carries the asset.
type Contract struct{}

// Init has nothing to do.
func (*Contract) Init(shim.ChaincodeStubInterface) *peer.Response {
	return shim.Success(nil)
}

// Invoke runs the function that the first argument names.
func (*Contract) Invoke(stub shim.ChaincodeStubInterface) *peer.Response {
	name, arguments := stub.GetFunctionAndParameters()
	function, known := functions[name]
	if !known {
		return shim.Error(fmt.Sprintf("there is no function %q", name))
	}
	if len(arguments) != function.arguments {
		return shim.Error(fmt.Sprintf("%s takes %d arguments and was given %d", name, function.arguments, len(arguments)))
	}
	answer, err := function.run(stub, arguments)
	if err != nil {
		return shim.Error(err.Error())
	}
	return shim.Success(answer)
}

var functions = map[string]struct {
	arguments int
	run       func(shim.ChaincodeStubInterface, []string) ([]byte, error)
}{
	"CreateAsset":     {5, createAsset},
	"ReadAsset":       {1, readAsset},
	"UpdateAsset":     {5, updateAsset},
	"DeleteAsset":     {1, deleteAsset},
	"TransferAsset":   {2, transferAsset},
	"AssetExists":     {1, assetExists},
	"GetAllAssets":    {0, getAllAssets},
	"PutAssetDetails": {1, putAssetDetails},
	"GetAssetDetails": {1, getAssetDetails},

	"org.hyperledger.fabric:GetMetadata": {0, getMetadata},
}

// createAsset takes id, colour, size, owner and value.
func createAsset(stub shim.ChaincodeStubInterface, arguments []string) ([]byte, error) {
	asset, err := parse(arguments)
	if err != nil {
		return nil, err
	}
	present, err := stub.GetState(asset.ID)
	if err != nil {
		return nil, err
	}
	if present != nil {
		return nil, fmt.Errorf("the asset %s already exists", asset.ID)
	}
	return nil, write(stub, "CreateAsset", asset)
}

// readAsset takes an id and gives the asset as JSON.
func readAsset(stub shim.ChaincodeStubInterface, arguments []string) ([]byte, error) {
	return get(stub, arguments[0])
}

// updateAsset takes id, colour, size, owner and value.
func updateAsset(stub shim.ChaincodeStubInterface, arguments []string) ([]byte, error) {
	asset, err := parse(arguments)
	if err != nil {
		return nil, err
	}
	if _, err := get(stub, asset.ID); err != nil {
		return nil, err
	}
	return nil, write(stub, "UpdateAsset", asset)
}

// deleteAsset takes an id.
func deleteAsset(stub shim.ChaincodeStubInterface, arguments []string) ([]byte, error) {
	asset, err := get(stub, arguments[0])
	if err != nil {
		return nil, err
	}
	if err := stub.SetEvent("DeleteAsset", asset); err != nil {
		return nil, err
	}
	return nil, stub.DelState(arguments[0])
}

// transferAsset takes an id and the new owner, and gives the owner before.
func transferAsset(stub shim.ChaincodeStubInterface, arguments []string) ([]byte, error) {
	stored, err := get(stub, arguments[0])
	if err != nil {
		return nil, err
	}
	var asset Asset
	if err := json.Unmarshal(stored, &asset); err != nil {
		return nil, err
	}
	before := asset.Owner
	asset.Owner = arguments[1]
	return []byte(before), write(stub, "TransferAsset", asset)
}

// assetExists takes an id and gives `true` or `false`.
func assetExists(stub shim.ChaincodeStubInterface, arguments []string) ([]byte, error) {
	stored, err := stub.GetState(arguments[0])
	return []byte(strconv.FormatBool(stored != nil)), err
}

// getAllAssets gives a JSON list of all assets, by id.
func getAllAssets(stub shim.ChaincodeStubInterface, _ []string) ([]byte, error) {
	entries, err := stub.GetStateByRange("", "")
	if err != nil {
		return nil, err
	}
	defer entries.Close()
	assets := []json.RawMessage{}
	for entries.HasNext() {
		entry, err := entries.Next()
		if err != nil {
			return nil, err
		}
		assets = append(assets, entry.Value)
	}
	return json.Marshal(assets)
}

// putAssetDetails takes an id, and the private details as the transient value `details`.
func putAssetDetails(stub shim.ChaincodeStubInterface, arguments []string) ([]byte, error) {
	transient, err := stub.GetTransient()
	if err != nil {
		return nil, err
	}
	details, given := transient["details"]
	if !given {
		return nil, fmt.Errorf("the transient value `details` is missing")
	}
	return nil, stub.PutPrivateData(collection, arguments[0], details)
}

// getAssetDetails takes an id and gives the private details.
func getAssetDetails(stub shim.ChaincodeStubInterface, arguments []string) ([]byte, error) {
	details, err := stub.GetPrivateData(collection, arguments[0])
	if err == nil && details == nil {
		err = fmt.Errorf("the asset %s has no details", arguments[0])
	}
	return details, err
}

func getMetadata(shim.ChaincodeStubInterface, []string) ([]byte, error) {
	return metadata, nil
}

func parse(arguments []string) (Asset, error) {
	size, err := strconv.Atoi(arguments[2])
	if err != nil {
		return Asset{}, fmt.Errorf("the size is no whole number: %q", arguments[2])
	}
	value, err := strconv.Atoi(arguments[4])
	if err != nil {
		return Asset{}, fmt.Errorf("the value is no whole number: %q", arguments[4])
	}
	if arguments[0] == "" {
		return Asset{}, fmt.Errorf("the id is empty")
	}
	return Asset{ID: arguments[0], Color: arguments[1], Size: size, Owner: arguments[3], AppraisedValue: value}, nil
}

func get(stub shim.ChaincodeStubInterface, id string) ([]byte, error) {
	stored, err := stub.GetState(id)
	if err == nil && stored == nil {
		err = fmt.Errorf("the asset %s does not exist", id)
	}
	return stored, err
}

func write(stub shim.ChaincodeStubInterface, event string, asset Asset) error {
	encoded, err := json.Marshal(asset)
	if err != nil {
		return err
	}
	if err := stub.SetEvent(event, encoded); err != nil {
		return err
	}
	return stub.PutState(asset.ID, encoded)
}
