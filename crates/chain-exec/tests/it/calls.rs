//! `eth_call` and `eth_createAccessList`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_eth::{
    BlockOverrides, TransactionRequest,
    state::{AccountOverride, StateOverridesBuilder},
};
use chain_exec::{CallContext, CallError, CallLimits};

use crate::support::{Chain, ETHER, creation, decode, encode, genesis_json, number, request, runtime, token, transfer};

fn probe() -> (Chain, Address) {
    let mut chain = Chain::new();
    let probe = chain.deploy(creation("Probe"));
    (chain, probe)
}

fn fail(chain: &Chain, request: TransactionRequest) -> CallError {
    chain.executor.call(&chain.context(), request).expect_err("the call fails")
}

#[test]
fn failures_have_the_names_that_clients_know() {
    let (chain, probe) = probe();
    let text = DynSolValue::String("no way".into());
    let reverted = fail(&chain, request(probe, encode("fail(string)", &[text])));
    assert_eq!((reverted.code(), reverted.to_string().as_str()), (3, "execution reverted: no way"));
    let custom = fail(&chain, request(probe, encode("failCustom(uint256)", &[number(5)])));
    assert_eq!(custom.to_string(), "execution reverted");
    assert_eq!(custom.data().map(|data| data.len()), Some(4 + 32 * 4));
    let panic = fail(&chain, request(probe, encode("panic()", &[])));
    assert_eq!(panic.to_string(), "execution reverted: division or modulo by zero");

    let cases = [
        ("0xfe", "invalid opcode: INVALID"),
        ("0x0c", "invalid opcode: opcode 0xc not defined"),
        ("0x01", "stack underflow (0 <=> 2)"),
        ("0x600056", "invalid jump destination"),
        ("0x5b5f600056", "stack limit reached 1024 (1023)"),
        ("0x5f5f60015f3e", "return data out of bounds"),
        ("0x5b5f56", "out of gas"),
    ];
    for (code, expected) in cases {
        let at = Address::repeat_byte(0xc0);
        let overrides = StateOverridesBuilder::default().with_code(at, code.parse::<Bytes>().expect("hex")).build();
        let context = CallContext { state_overrides: Some(&overrides), ..chain.context() };
        let error = chain.executor.call(&context, request(at, Bytes::new())).expect_err("the code fails");
        assert_eq!(error.to_string(), expected, "{code}");
        assert_eq!(error.code(), -32000);
    }
}

#[test]
fn funds_and_fees_are_checked_as_far_as_a_price_is_named() {
    let mut chain = Chain::with_genesis(&genesis_json(7));
    chain.mine([]);
    let poor = Address::repeat_byte(0x99);
    let call = || TransactionRequest::default().from(poor).to(Address::repeat_byte(9));
    let context = chain.context();
    let error = |request| chain.executor.call(&context, request).map(drop).expect_err("refused").to_string();
    // Without a price nothing is paid, not even the base fee.
    assert_eq!(chain.executor.call(&context, call()).map(|outcome| outcome.gas_used).expect("free"), 21_000);
    assert_eq!(
        error(call().value(U256::from(1))),
        format!("insufficient funds for gas * price + value: address {poor} have 0 want 1")
    );
    assert_eq!(
        error(call().max_fee_per_gas(6)),
        format!("max fee per gas less than block base fee: address {poor}, maxFeePerGas: 6, baseFee: 7")
    );
    assert_eq!(
        error(call().max_fee_per_gas(8).max_priority_fee_per_gas(9)),
        format!(
            "max priority fee per gas higher than max fee per gas: address {poor}, maxPriorityFeePerGas: 9, maxFeePerGas: 8"
        )
    );
    assert_eq!(
        error(call().gas_price(8).max_fee_per_gas(8)),
        "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified"
    );
    assert_eq!(
        error(call().gas_price(8).gas_limit(21_000)),
        format!("insufficient funds for gas * price + value: address {poor} have 0 want 168000")
    );
    let rich = chain.wallets[0].address;
    // A limit that is not named is what the sender can pay.
    chain.executor.call(&context, call().from(rich).gas_price(ETHER / 1000)).expect("enough for the call");
    assert_eq!(error(call().gas_limit(20_000)), "intrinsic gas too low: have 20000, want 21000");
    let other = TransactionRequest { chain_id: Some(1), ..call() };
    assert_eq!(error(other), "chainId does not match node's (have=1, want=4242)");
    let blob = TransactionRequest { blob_versioned_hashes: Some(vec![B256::ZERO]), ..call() };
    assert_eq!(error(blob), "blob transactions are not supported on this chain");
}

#[test]
fn state_and_block_can_be_overridden() {
    let (mut chain, probe) = probe();
    let token = chain.deploy(token(100));
    let before = chain.state.clone();
    let stranger = Address::repeat_byte(0x42);
    let balance = alloy_primitives::keccak256([stranger.into_word().0, B256::with_last_byte(1).0].concat());
    let overrides = StateOverridesBuilder::default()
        .append(token, AccountOverride::default().with_state_diff([(balance, B256::with_last_byte(50))]))
        .append(
            probe,
            AccountOverride::default().with_state([(B256::with_last_byte(1), B256::with_last_byte(41))]).with_nonce(9),
        )
        .with_balance(stranger, U256::from(5 * ETHER))
        .with_code(Address::repeat_byte(0xcc), runtime("Token"))
        .build();
    let context = CallContext { state_overrides: Some(&overrides), ..chain.context() };
    let call = |to, input| chain.executor.call(&context, request(to, input).from(stranger)).expect("the call succeeds");
    assert_eq!(call(token, transfer(probe, 50)).logs.len(), 1);
    let output = call(probe, encode("increment()", &[])).output;
    assert_eq!(decode("increment() returns (uint256)", &output), [number(42)]);
    assert!(!call(Address::repeat_byte(0xcc), encode("totalSupply()", &[])).output.is_empty());
    let sent = chain
        .executor
        .call(&context, request(probe, Bytes::new()).from(stranger).to(Address::ZERO).value(U256::from(ETHER)));
    assert!(sent.is_ok(), "the overridden balance is there to be spent");

    let both = AccountOverride::default().with_state([]).with_state_diff([]);
    let both = StateOverridesBuilder::default().append(token, both).build();
    let context = CallContext { state_overrides: Some(&both), ..chain.context() };
    let refused = chain.executor.call(&context, request(token, Bytes::new())).expect_err("a contradiction");
    assert_eq!(refused.code(), -32602);

    let head = chain.head().clone();
    let block = BlockOverrides {
        number: Some(U256::from(head.number() + 1)),
        time: Some(99),
        coinbase: Some(stranger),
        random: Some(B256::with_last_byte(3)),
        gas_limit: Some(77),
        ..BlockOverrides::default()
    };
    let context = CallContext { block_overrides: Some(&block), ..chain.context() };
    let signature = "surroundings() returns (uint256,uint256,uint256,address,uint256,uint256,uint256)";
    let output = chain.executor.call(&context, request(probe, encode(signature, &[]))).expect("succeeds").output;
    let seen = decode(signature, &output);
    let next = number(u128::from(head.number()) + 1);
    assert_eq!(seen[..5], [next, number(99), number(3), stranger.into(), number(77)]);
    let hash = encode("hashOf(uint256)", &[number(head.number().into())]);
    let output = chain.executor.call(&context, request(probe, hash)).expect("succeeds").output;
    assert_eq!(output.as_ref(), head.hash().as_slice(), "in the next block this one is an ancestor");
    assert_eq!(chain.state, before);
}

#[test]
fn precompiles_can_be_moved() {
    let (chain, _) = probe();
    let (identity, elsewhere) = (Address::with_last_byte(4), Address::repeat_byte(0x44));
    let overrides = StateOverridesBuilder::default()
        .append(identity, AccountOverride { move_precompile_to: Some(elsewhere), ..AccountOverride::default() })
        .build();
    let context = CallContext { state_overrides: Some(&overrides), ..chain.context() };
    let data = Bytes::from_static(b"copied");
    let outcome = chain.executor.call(&context, request(elsewhere, data.clone())).expect("the precompile answers");
    assert_eq!(outcome.output, data);
}

#[test]
fn gas_and_time_are_limited() {
    let (mut chain, probe) = probe();
    let burn = request(probe, encode("burn()", &[]));
    let little = CallContext { limits: CallLimits { gas: 100_000, ..chain.context().limits }, ..chain.context() };
    let wanting = TransactionRequest { gas: Some(u64::MAX), ..burn.clone() };
    let error = chain.executor.call(&little, wanting).expect_err("the cap holds");
    assert_eq!(error.to_string(), "out of gas");

    let ticks = AtomicU64::new(0);
    chain.executor = chain
        .executor
        .clone()
        .with_clock(Arc::new(move || Duration::from_millis(ticks.fetch_add(100, Ordering::Relaxed))));
    let limits = CallLimits { gas: u64::MAX, time: Duration::from_secs(5) };
    let patient = CallContext { limits, ..chain.context() };
    let error = chain.executor.call(&patient, burn.clone()).expect_err("it would never end");
    assert_eq!(error.to_string(), "execution aborted (timeout = 5s)");
    let error = chain.executor.estimate_gas(&patient, burn).expect_err("it would never end");
    assert!(matches!(error, CallError::Timeout(_) | CallError::GasAllowance(_)), "{error}");
    // Also when it is an inner call that does not end.
    let inner = format!("0x5f5f5f5f5f73{}5af100", alloy_primitives::hex::encode(Address::repeat_byte(0xdd)));
    let overrides = StateOverridesBuilder::default()
        .with_code(Address::repeat_byte(0xdd), "0x5b5f56".parse::<Bytes>().expect("hex"))
        .with_code(Address::repeat_byte(0xde), inner.parse::<Bytes>().expect("hex"))
        .build();
    let context = CallContext { state_overrides: Some(&overrides), limits, ..chain.context() };
    let error = chain.executor.call(&context, request(Address::repeat_byte(0xde), Bytes::new()));
    assert!(matches!(error, Err(CallError::Timeout(_))), "{error:?}");
}

#[test]
fn a_creation_can_be_called() {
    let chain = Chain::new();
    let request = TransactionRequest::default().from(chain.wallets[0].address).create().input(token(5).into());
    let outcome = chain.executor.call(&chain.context(), request).expect("succeeds");
    assert_eq!(outcome.created, Some(chain.wallets[0].address.create(0)));
    assert_eq!(outcome.output, runtime("Token"));
}

#[test]
fn an_access_list_names_what_is_touched() {
    let mut chain = Chain::new();
    let token = chain.deploy(token(100));
    let from = chain.wallets[0].address;
    let to = Address::repeat_byte(0x42);
    let request = request(token, transfer(to, 5)).from(from);
    let result = chain.executor.create_access_list(&chain.context(), request.clone()).expect("has a list");
    assert_eq!(result.error, None);
    assert_eq!(result.access_list.0.len(), 1);
    assert_eq!(result.access_list.0[0].address, token);
    assert_eq!(result.access_list.0[0].storage_keys.len(), 2, "both balances");
    let listed = TransactionRequest { access_list: Some(result.access_list), ..request.clone() };
    let used = chain.executor.call(&chain.context(), listed).expect("succeeds").gas_used;
    assert_eq!(U256::from(used), result.gas_used);

    let failing = request.from(to);
    let result = chain.executor.create_access_list(&chain.context(), failing).expect("has a list");
    assert_eq!(result.error.as_deref(), Some("execution reverted"));
}
