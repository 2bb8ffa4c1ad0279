// Compiles solidity/*.sol to artifacts/NAME.json. Needs the package `solc` (npm install --no-save solc@0.8.37).
// The artifacts are committed, so that building and running Polder needs no Solidity compiler.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const solc = createRequire(path.join(process.cwd(), 'package.json'))('solc')
const here = import.meta.dirname
const sources = Object.fromEntries(
  readdirSync(path.join(here, 'solidity')).map((file) => [file, { content: readFileSync(path.join(here, 'solidity', file), 'utf8') }]),
)
const input = {
  language: 'Solidity',
  sources,
  settings: {
    // No newer: GoQuorum and Clique networks have no later instructions.
    evmVersion: 'london',
    optimizer: { enabled: true, runs: 200 },
    outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
  },
}
const output = JSON.parse(solc.compile(JSON.stringify(input)))
for (const error of output.errors ?? []) console.error(error.formattedMessage)
if ((output.errors ?? []).some((error) => error.severity === 'error')) process.exit(1)
mkdirSync(path.join(here, 'artifacts'), { recursive: true })
for (const [file, contracts] of Object.entries(output.contracts)) {
  for (const [contractName, { abi, evm }] of Object.entries(contracts)) {
    const artifact = { contractName, sourceName: `solidity/${file}`, abi, bytecode: `0x${evm.bytecode.object}` }
    writeFileSync(path.join(here, 'artifacts', `${contractName}.json`), `${JSON.stringify(artifact, null, 2)}\n`)
    console.log(`artifacts/${contractName}.json`)
  }
}
