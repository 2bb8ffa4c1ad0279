// Command asset is a small chaincode that keeps assets: a sample, and what the tests run.
//
// It runs as a service: the peer connects to it. CHAINCODE_SERVER_ADDRESS says where it listens and CHAINCODE_ID is the
// id of the installed package. With CHAINCODE_TLS_KEY and CHAINCODE_TLS_CERT (files) it speaks TLS, and with
// CHAINCODE_TLS_CLIENT_CA too it asks the peer for a certificate.
package main

import (
	"fmt"
	"os"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "asset:", err)
		os.Exit(1)
	}
}

func serve() error {
	tls, err := tlsFromEnvironment()
	if err != nil {
		return err
	}
	server := &shim.ChaincodeServer{
		CCID:     os.Getenv("CHAINCODE_ID"),
		Address:  os.Getenv("CHAINCODE_SERVER_ADDRESS"),
		CC:       &Contract{},
		TLSProps: tls,
	}
	return server.Start()
}

func tlsFromEnvironment() (shim.TLSProperties, error) {
	key, certificate := os.Getenv("CHAINCODE_TLS_KEY"), os.Getenv("CHAINCODE_TLS_CERT")
	if key == "" && certificate == "" {
		return shim.TLSProperties{Disabled: true}, nil
	}
	var properties shim.TLSProperties
	var err error
	if properties.Key, err = os.ReadFile(key); err != nil {
		return properties, err
	}
	if properties.Cert, err = os.ReadFile(certificate); err != nil {
		return properties, err
	}
	if root := os.Getenv("CHAINCODE_TLS_CLIENT_CA"); root != "" {
		properties.ClientCACerts, err = os.ReadFile(root)
	}
	return properties, err
}
