//! `debug_trace*`: every tracer's answer as a snapshot.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy_primitives::Address;
use alloy_rpc_types_trace::geth::{GethDebugTracingOptions, GethTrace, TraceResult};
use chain_exec::{CallContext, CallError, CallLimits};
use serde_json::{Value, json};

use crate::support::{Chain, creation, encode, number, request, token, transfer};

const TIME: Duration = Duration::from_secs(5);

fn options(value: Value) -> GethDebugTracingOptions {
    serde_json::from_value(value).expect("options")
}

/// A block with a token transfer, a creation inside a call, and a caught inner failure.
fn scene() -> (Chain, Vec<Address>) {
    let mut chain = Chain::new();
    let probe = chain.deploy(creation("Probe"));
    let token = chain.deploy(token(1_000));
    let mut wallet = chain.wallets[0].clone();
    let mined = chain.mine([
        wallet.call(token, 0, transfer(Address::repeat_byte(0x22), 7)),
        wallet.call(probe, 9, encode("create(uint256)", &[number(3)])),
        wallet.call(probe, 0, encode("guarded()", &[])),
    ]);
    assert!(mined.executed.receipts.iter().all(|receipt| receipt.status()));
    let senders = vec![wallet.address; 3];
    (chain, senders)
}

fn trace(chain: &Chain, senders: &[Address], index: usize, value: Value) -> Result<GethTrace, CallError> {
    let before = &chain.states[chain.states.len() - 2];
    chain.executor.trace_transaction(chain.head(), senders, index, before, options(value), TIME)
}

#[test]
fn tracers_answer_as_geth_does() {
    let (chain, senders) = scene();
    let cases = [
        ("call_transfer", 0, json!({"tracer": "callTracer", "tracerConfig": {"withLog": true}})),
        ("call_create", 1, json!({"tracer": "callTracer"})),
        ("call_guarded", 2, json!({"tracer": "callTracer"})),
        ("call_top", 1, json!({"tracer": "callTracer", "tracerConfig": {"onlyTopCall": true}})),
        ("prestate", 0, json!({"tracer": "prestateTracer", "tracerConfig": {"disableCode": true}})),
        (
            "prestate_diff",
            1,
            json!({"tracer": "prestateTracer", "tracerConfig": {"diffMode": true, "disableCode": true}}),
        ),
        ("four_byte", 2, json!({"tracer": "4byteTracer"})),
        ("noop", 2, json!({"tracer": "noopTracer"})),
        ("flat_call", 1, json!({"tracer": "flatCallTracer"})),
        (
            "mux",
            2,
            json!({"tracer": "muxTracer", "tracerConfig": {
            "callTracer": {"onlyTopCall": true}, "4byteTracer": null, "prestateTracer": {"disableCode": true}}}),
        ),
        ("struct", 0, json!({"enableMemory": true, "enableReturnData": true, "limit": 12})),
        ("struct_bare", 0, json!({"disableStack": true, "disableStorage": true, "limit": 3})),
    ];
    for (name, index, options) in cases {
        let mut answer = serde_json::to_value(trace(&chain, &senders, index, options).expect(name)).expect("JSON");
        answer.sort_all_objects();
        insta::assert_json_snapshot!(name, answer);
    }
}

#[test]
fn a_trace_agrees_with_the_receipt() {
    let (chain, senders) = scene();
    let receipts = {
        let parent = chain.blocks[chain.blocks.len() - 2].header();
        let before = &chain.states[chain.states.len() - 2];
        chain.executor.execute(parent, chain.head(), &senders, before).expect("valid").receipts
    };
    let mut cumulative = 0;
    for (index, receipt) in receipts.iter().enumerate() {
        let GethTrace::Default(frame) = trace(&chain, &senders, index, json!({})).expect("traced") else { panic!() };
        cumulative += frame.gas;
        assert_eq!(cumulative, receipt.cumulative_gas_used());
        assert!(!frame.failed);
        assert!(frame.struct_logs.len() > 50);
    }
}

#[test]
fn a_block_is_traced_as_its_transactions() {
    let (chain, senders) = scene();
    let before = &chain.states[chain.states.len() - 2];
    let call = json!({"tracer": "callTracer"});
    let all = chain.executor.trace_block(chain.head(), &senders, before, options(call.clone()), TIME).expect("traced");
    assert_eq!(all.len(), 3);
    for (index, one) in all.into_iter().enumerate() {
        let TraceResult::Success { result, tx_hash } = one else { panic!("a trace") };
        assert_eq!(tx_hash, Some(*chain.head().transactions()[index].tx_hash()));
        assert_eq!(result, trace(&chain, &senders, index, call.clone()).expect("traced"));
    }
}

#[test]
fn a_call_is_traced_without_being_a_transaction() {
    let (chain, _) = scene();
    let probe = chain.wallets[0].address.create(0);
    let request = request(probe, encode("panic()", &[]));
    let call = options(json!({"tracer": "callTracer"}));
    let traced = chain.executor.trace_call(&chain.context(), request, call).expect("a failure has a trace");
    let GethTrace::CallTracer(frame) = traced else { panic!("a call frame") };
    assert_eq!(frame.error.as_deref(), Some("execution reverted"));
    assert_eq!(frame.output.map(|output| output.len()), Some(36));
}

#[test]
fn what_is_not_offered_is_said() {
    let (chain, senders) = scene();
    let error = |value| trace(&chain, &senders, 0, value).expect_err("refused");
    let script = error(json!({"tracer": "{data: [], fault: function(log) {}, step: function(log) {}}"}));
    assert_eq!(script.code(), -32602);
    assert!(script.to_string().starts_with("tracer JavaScript is not offered"), "{script}");
    assert!(error(json!({"tracer": "bigramTracer"})).to_string().starts_with("tracer bigramTracer is not offered"));
    assert_eq!(error(json!({"timeout": "soon"})).to_string(), "time: invalid duration \"soon\"");
    assert_eq!(error(json!({"tracer": "muxTracer", "tracerConfig": {"callTracer": null}})).code(), -32602);
    let before = &chain.states[0];
    let none = chain.executor.trace_transaction(chain.head(), &senders, 3, before, options(json!({})), TIME);
    assert_eq!(none.expect_err("there are three").to_string(), "the block has no transaction 3");
}

#[test]
fn time_and_memory_are_limited() {
    let (mut chain, senders) = scene();
    let probe = chain.wallets[0].address.create(0);
    let burn = request(probe, encode("burn()", &[]));
    let limits = CallLimits { gas: 1 << 40, time: TIME };
    let context = CallContext { limits, ..chain.context() };
    let large = chain.executor.trace_call(&context, burn.clone(), options(json!({}))).expect_err("too large");
    assert!(large.to_string().starts_with("the trace takes more than 256 MiB"), "{large}");

    let ticks = Arc::new(AtomicU64::new(0));
    let clock = ticks.clone();
    chain.executor =
        chain.executor.with_clock(Arc::new(move || Duration::from_millis(clock.fetch_add(10, Ordering::Relaxed))));
    let context = CallContext { limits, ..chain.context() };
    let noop = options(json!({"tracer": "noopTracer", "timeout": "1m0.5s"}));
    let late = chain.executor.trace_call(&context, burn.clone(), noop).expect_err("never ends");
    assert_eq!(late.to_string(), "execution aborted (timeout = 5s)");
    let quick = options(json!({"tracer": "callTracer", "timeout": "250ms"}));
    let late = chain.executor.trace_call(&context, burn, quick).expect_err("never ends");
    assert_eq!(late.to_string(), "execution aborted (timeout = 0.25s)");
    let soon = json!({"tracer": "callTracer", "timeout": "5ms"});
    let late = trace(&chain, &senders, 2, soon).expect_err("time is over before the transaction");
    assert!(matches!(late, CallError::Timeout(_)));
}
