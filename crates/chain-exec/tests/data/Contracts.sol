// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

// The contracts of the tests. `contracts.json` beside this file is what solc 0.8.30 makes of it: EVM version
// cancun, optimizer with 200 runs, no hash in the metadata; `creation` is the bytecode, `runtime` the deployed one.

/// An ERC-20 token.
contract Token {
    string public constant name = "Token";
    string public constant symbol = "TOK";
    uint8 public constant decimals = 18;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error InsufficientBalance(address sender, uint256 balance, uint256 needed);

    constructor(uint256 supply) {
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        uint256 balance = balanceOf[msg.sender];
        if (balance < value) revert InsufficientBalance(msg.sender, balance, value);
        unchecked {
            balanceOf[msg.sender] = balance - value;
        }
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }
}

/// Is created, pays out and goes, or stays.
contract Child {
    uint256 public value;

    constructor(uint256 value_) payable {
        value = value_;
    }

    function end(address payable heir) external {
        selfdestruct(heir);
    }
}

/// One function for each thing that a test wants to see.
contract Probe {
    mapping(uint256 => uint256) public slots;
    uint256 public counter;

    event Called(address indexed sender, uint256 value);

    error Custom(uint256 code, string text);

    function fail(string calldata reason) external pure {
        revert(reason);
    }

    function failCustom(uint256 code) external pure {
        revert Custom(code, "custom");
    }

    function panic() external pure returns (uint256) {
        uint256 zero;
        return 1 / zero;
    }

    function burn() external pure {
        while (true) {}
    }

    function invalid() external pure {
        assembly {
            invalid()
        }
    }

    function increment() external payable returns (uint256) {
        counter += 1;
        emit Called(msg.sender, msg.value);
        return counter;
    }

    function fill(uint256 from, uint256 count) external {
        for (uint256 i = from; i < from + count; i++) slots[i] = i + 1;
    }

    function clear(uint256 from, uint256 count) external {
        for (uint256 i = from; i < from + count; i++) slots[i] = 0;
    }

    /// Calls itself that deep, and writes at the bottom.
    function descend(uint256 depth) external {
        if (depth == 0) counter += 1;
        else this.descend(depth - 1);
    }

    /// Needs more gas than it uses.
    function hungry(uint256 least) external {
        require(gasleft() >= least, "not enough gas");
        counter += 1;
    }

    /// Swallows the failure of an inner call after it changed something.
    function guarded() external returns (bool done) {
        counter += 1;
        (done,) = address(this).call(abi.encodeCall(this.fail, ("inner")));
    }

    function create(uint256 value) external payable returns (address) {
        return address(new Child{value: msg.value}(value));
    }

    function create2(bytes32 salt, uint256 value) external payable returns (address) {
        return address(new Child{salt: salt, value: msg.value}(value));
    }

    /// Creates a contract that is gone when the transaction ends.
    function createAndEnd(bytes32 salt, address payable heir) external payable returns (address) {
        Child child = new Child{salt: salt, value: msg.value}(7);
        child.end(heir);
        return address(child);
    }

    function hashOf(uint256 number) external view returns (bytes32) {
        return blockhash(number);
    }

    function surroundings() external view returns (uint256, uint256, uint256, address, uint256, uint256, uint256) {
        return (block.number, block.timestamp, block.prevrandao, block.coinbase, block.gaslimit, block.basefee, block.chainid);
    }

    function precompiles(bytes calldata data) external view returns (bytes32 sha, bytes20 ripemd, bytes memory copy) {
        sha = sha256(data);
        ripemd = ripemd160(data);
        (, copy) = address(4).staticcall(data);
    }

    function send(address payable to) external payable {
        to.transfer(msg.value);
    }
}

/// Code for accounts that delegate by EIP-7702.
contract Batch {
    struct Call {
        address to;
        uint256 value;
        bytes data;
    }

    event Executed(uint256 calls);

    function execute(Call[] calldata calls) external payable {
        for (uint256 i = 0; i < calls.length; i++) {
            (bool done, bytes memory data) = calls[i].to.call{value: calls[i].value}(calls[i].data);
            if (!done) {
                assembly {
                    revert(add(data, 32), mload(data))
                }
            }
        }
        emit Executed(calls.length);
    }
}
