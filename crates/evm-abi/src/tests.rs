//! Round trips and refusals of JSON arguments.

use serde_json::{Value, json};

use crate::{
    Artifact, Error, JsonAbi, decode_call, decode_output, decode_revert, encode_call, find_function, parse_interface,
};

fn abi(functions: &[&str]) -> JsonAbi {
    JsonAbi::parse(functions.iter().copied()).expect("the test's own interface is valid")
}

/// The text form of interfaces has no tuples.
const TUPLE: &str = "f((uint8 x, string y) a)";

fn tuple() -> JsonAbi {
    let parts = json!([{ "name": "x", "type": "uint8" }, { "name": "y", "type": "string" }]);
    let input = json!({ "name": "a", "type": "tuple", "components": parts });
    let function =
        json!({ "type": "function", "name": "f", "inputs": [input], "outputs": [], "stateMutability": "view" });
    parse_interface(&json!([function])).expect("the test's own interface is valid")
}

/// Encodes arguments and decodes them again.
fn round_trip(signature: &str, args: &Value) -> Result<Vec<Value>, Error> {
    let abi = if signature == TUPLE { tuple() } else { abi(&[&format!("function {signature}")]) };
    let function = abi.functions().next().expect("one function");
    let input = encode_call(function, Some(args))?;
    let decoded = decode_call(&abi, &input).expect("what was encoded decodes");
    Ok(decoded.arguments.into_iter().map(|argument| argument.value).collect())
}

#[test]
fn every_kind_of_argument_survives_a_round_trip() {
    let address = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";
    let large = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    for (signature, args, expected) in [
        ("f(uint256 a)", json!([large]), json!([large])),
        ("f(uint256 a)", json!(["0xff"]), json!(["255"])),
        ("f(uint8 a)", json!([255]), json!(["255"])),
        ("f(int256 a)", json!(["-5"]), json!(["-5"])),
        ("f(int8 a)", json!([-128]), json!(["-128"])),
        ("f(bool a, address b)", json!([true, address]), json!([true, address])),
        ("f(string a, bytes b)", json!(["žluťoučký", "0x0102"]), json!(["žluťoučký", "0x0102"])),
        ("f(bytes4 a)", json!(["0xdeadbeef"]), json!(["0xdeadbeef"])),
        ("f(uint8[] a, bool[2] b)", json!([[1, 2], [true, false]]), json!([["1", "2"], [true, false]])),
        (TUPLE, json!([[1, "z"]]), json!([["1", "z"]])),
        (TUPLE, json!([{ "y": "z", "x": 1 }]), json!([["1", "z"]])),
    ] {
        let found = round_trip(signature, &args).unwrap_or_else(|error| panic!("{signature} {args}: {error}"));
        assert_eq!(Value::Array(found), expected, "{signature}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_place() {
    for (signature, args, part) in [
        ("f(uint8 amount)", json!([256]), "0 (amount)"),
        ("f(int8 a)", json!([128]), "does not fit int8"),
        ("f(int8 a)", json!([-129]), "does not fit int8"),
        ("f(uint256 a)", json!([-1]), "not a whole number"),
        ("f(uint256 a)", json!([1e30]), "give it as text"),
        ("f(uint256 a)", json!([1.5]), "not a whole number"),
        ("f(address a)", json!(["0x12"]), "40 hexadecimal digits"),
        ("f(bytes4 a)", json!(["0x01"]), "needs 4 bytes"),
        ("f(bool[2] a)", json!([[true]]), "2 entries"),
        ("f(uint8 a)", json!([1, 2]), "1 arguments are expected"),
        (TUPLE, json!([{ "x": 1 }]), "`y` is missing"),
    ] {
        let error = round_trip(signature, &args).expect_err(signature).to_string();
        assert!(error.contains(part), "{signature}: {error}");
    }
}

#[test]
fn overloads_are_chosen_by_count_or_signature() {
    let abi = abi(&["function f(uint8)", "function f(uint8,uint8)", "function f(bool)"]);
    assert_eq!(find_function(&abi, "f", 2).map(|f| f.signature()).ok().as_deref(), Some("f(uint8,uint8)"));
    assert!(find_function(&abi, "f", 1).is_err());
    assert_eq!(find_function(&abi, "f(bool)", 1).map(|f| f.signature()).ok().as_deref(), Some("f(bool)"));
    let error = find_function(&abi, "g", 0).expect_err("there is no g").to_string();
    assert!(error.contains("f(bool)"), "{error}");
}

#[test]
fn results_and_reverts_are_words() {
    let abi = abi(&["function f() returns (uint256,bool)", "error Poor(address who, uint256 has)"]);
    let f = find_function(&abi, "f", 0).expect("f");
    let mut data = [0_u8; 64];
    (data[31], data[63]) = (7, 1);
    assert_eq!(decode_output(f, &data).expect("fits"), json!(["7", true]));
    assert!(decode_output(f, &[]).is_err());
    let hex = |text: &str| alloy_primitives::hex::decode(text).expect("hex");
    let reason = hex(concat!(
        "08c379a0",
        "0000000000000000000000000000000000000000000000000000000000000020",
        "0000000000000000000000000000000000000000000000000000000000000003",
        "6e6f210000000000000000000000000000000000000000000000000000000000"
    ));
    assert_eq!(decode_revert(None, &reason[..]).as_str(), "no!");
    let panic = hex("4e487b710000000000000000000000000000000000000000000000000000000000000011");
    assert!(decode_revert(None, &panic).contains("overflow"));
    let custom = abi.errors().next().expect("Poor").selector();
    let mut data = custom.to_vec();
    data.extend([0; 63]);
    data.push(9);
    assert_eq!(decode_revert(Some(&abi), &data), "Poor(0x0000000000000000000000000000000000000000, 9)");
}

#[test]
fn artifacts_of_several_tools_are_read() {
    for artifact in [
        json!({ "abi": [], "bytecode": "0x6001" }),
        json!({ "abi": [], "bytecode": { "object": "6001" } }),
        json!({ "abi": [], "evm": { "bytecode": { "object": "6001" } } }),
        json!({ "abi": [], "data": { "bytecode": { "object": "6001" } } }),
    ] {
        let code = Artifact::from_json(&artifact).and_then(|artifact| artifact.bytecode());
        assert_eq!(code.map(|code| code.to_vec()).ok(), Some(vec![0x60, 0x01]), "{artifact}");
    }
    for (artifact, part) in [
        (json!({ "bytecode": "0x6001" }), "no `abi`"),
        (json!({ "abi": [] }), "no bytecode"),
        (json!({ "abi": [], "bytecode": "0x60__$library$__01" }), "not linked"),
        (json!({ "abi": [], "bytecode": "xyz" }), "hexadecimal"),
    ] {
        let error = Artifact::from_json(&artifact).and_then(|artifact| artifact.bytecode()).expect_err("refused");
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(parse_interface(&json!({ "abi": 5 })).is_err());
}
