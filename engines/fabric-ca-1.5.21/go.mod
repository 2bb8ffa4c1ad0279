module engine

go 1.25.0

require github.com/hyperledger/fabric-ca v1.5.21
