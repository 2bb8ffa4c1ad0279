// Functions that go wrong, beside those of the sample chaincode.
package main

import "github.com/hyperledger/fabric-chaincode-go/v2/shim"

var kept [][]byte

func init() {
	add := func(name string, run func()) {
		functions[name] = struct {
			arguments int
			run       func(shim.ChaincodeStubInterface, []string) ([]byte, error)
		}{0, func(shim.ChaincodeStubInterface, []string) ([]byte, error) { run(); return nil, nil }}
	}
	add("Spin", func() {
		for {
		}
	})
	add("Eat", func() {
		for {
			block := make([]byte, 1<<20)
			for index := range block {
				block[index] = 1
			}
			kept = append(kept, block)
		}
	})
	add("Panic", func() { panic("on purpose") })
}
