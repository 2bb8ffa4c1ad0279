//! `eth_estimateGas`: the estimate suffices and less does not.

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_eth::{TransactionRequest, state::StateOverridesBuilder};
use chain_exec::{CallContext, CallError, CallLimits};

use crate::support::{Chain, creation, encode, number, request, token, transfer, word};

/// Runs the request as a transaction with this gas limit.
fn succeeds(chain: &Chain, request: &TransactionRequest, gas: u64) -> bool {
    let wallet = &chain.wallets[0];
    let to = request.to.unwrap_or_default();
    let input = request.input.clone().into_input().unwrap_or_default();
    let mut transaction = wallet.plain(to, request.value.unwrap_or_default().to(), input);
    transaction.gas_limit = gas;
    let mined = chain.clone().mine([wallet.sign(transaction)]);
    mined.executed.receipts.first().is_some_and(|receipt| receipt.status())
}

#[test]
fn the_estimate_is_the_need() {
    let mut chain = Chain::new();
    let probe = chain.deploy(creation("Probe"));
    let token = chain.deploy(token(100));
    let mut wallet = chain.wallets[0].clone();
    chain.mine([wallet.call(probe, 0, encode("fill(uint256,uint256)", &[number(0), number(20)]))]);
    chain.wallets[0] = wallet;
    let plain = |to| request(to, Bytes::new()).value(U256::from(1));
    let cases = [
        ("a transfer", plain(Address::repeat_byte(9))),
        ("a payment to a contract that takes it", request(probe, encode("increment()", &[])).value(U256::from(3))),
        ("a token transfer", request(token, transfer(Address::repeat_byte(8), 5))),
        ("refunds", request(probe, encode("clear(uint256,uint256)", &[number(0), number(20)]))),
        ("deep calls", request(probe, encode("descend(uint256)", &[number(30)]))),
        ("a condition on the gas left", request(probe, encode("hungry(uint256)", &[number(700_000)]))),
        ("a creation in a call", request(probe, encode("create2(bytes32,uint256)", &[word(4), number(1)]))),
        ("a stipend", request(probe, encode("send(address)", &[Address::repeat_byte(7).into()])).value(U256::from(1))),
        ("much data", request(Address::repeat_byte(6), vec![1; 3_000].into())),
        (
            "a creation",
            TransactionRequest::default().from(chain.wallets[0].address).create().input(creation("Batch").into()),
        ),
    ];
    for (name, request) in cases {
        let gas =
            chain.executor.estimate_gas(&chain.context(), request.clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(succeeds(&chain, &request, gas), "{name}: {gas} is enough");
        assert!(!succeeds(&chain, &request, gas - 1), "{name}: less than {gas} is not enough");
    }
    let transfer = plain(Address::repeat_byte(9));
    assert_eq!(chain.executor.estimate_gas(&chain.context(), transfer).expect("a transfer"), 21_000);
}

#[test]
fn what_cannot_succeed_has_no_estimate() {
    let mut chain = Chain::new();
    let probe = chain.deploy(creation("Probe"));
    let context = chain.context();
    let estimate = |request| chain.executor.estimate_gas(&context, request).expect_err("no estimate");
    let text = DynSolValue::String("never".into());
    let error = estimate(request(probe, encode("fail(string)", &[text])));
    assert_eq!(error.to_string(), "execution reverted: never");
    assert!(matches!(error, CallError::Reverted { .. }));
    assert_eq!(estimate(request(probe, encode("invalid()", &[]))).to_string(), "invalid opcode: INVALID");
    assert_eq!(
        estimate(request(probe, encode("burn()", &[]))).to_string(),
        "gas required exceeds allowance (30000000)"
    );
    let limits = CallLimits { gas: 50_000, ..context.limits };
    let little = CallContext { limits, ..context };
    let hungry = request(probe, encode("fill(uint256,uint256)", &[number(0), number(9)]));
    let error = chain.executor.estimate_gas(&little, hungry).expect_err("too little");
    assert_eq!(error.to_string(), "gas required exceeds allowance (50000)");

    let poor = Address::repeat_byte(0x99);
    let paying = request(probe, encode("increment()", &[])).from(poor).gas_price(10);
    let error = estimate(paying.clone());
    assert_eq!(error.to_string(), "gas required exceeds allowance (0)");
    let error = estimate(paying.clone().value(U256::from(1)));
    assert_eq!(error.to_string(), "insufficient funds for transfer");
    let overrides = StateOverridesBuilder::default().with_balance(poor, U256::from(1_000_000)).build();
    let funded = CallContext { state_overrides: Some(&overrides), ..context };
    assert!(chain.executor.estimate_gas(&funded, paying).expect("the override pays") > 40_000);
}

#[test]
fn osakas_limit_for_a_transaction_holds() {
    let json = crate::support::genesis_json(0).replace("\"pragueTime\": 0", "\"pragueTime\": 0, \"osakaTime\": 0");
    let mut chain = Chain::with_genesis(&json);
    let probe = chain.deploy(creation("Probe"));
    let burn = request(probe, encode("burn()", &[]));
    let error = chain.executor.estimate_gas(&chain.context(), burn).expect_err("it burns everything");
    assert_eq!(error.to_string(), format!("gas required exceeds allowance ({})", 1 << 24));
    // A call is no transaction and may use more.
    let outcome =
        chain.executor.call(&chain.context(), request(probe, encode("hungry(uint256)", &[number(20_000_000)])));
    assert!(outcome.is_ok());
    assert_eq!(chain.head().header().parent_beacon_block_root, Some(B256::ZERO));
}
