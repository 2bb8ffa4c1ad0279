module engine

go 1.24

require github.com/hyperledger/fabric v1.4.0-rc1.0.20230401164317-bd8e24856939
