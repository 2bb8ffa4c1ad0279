//! Which methods an application may call, by their names: what reads the ledger and hands over signed transactions, nothing
//! that uses a node's keys, changes a node, or shows what is its member's alone. A list of what may pass, with what must not
//! of these groups taken out.

use types::Code;

use crate::refusal::Refusal;

/// What becomes of a call.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It goes to a node.
    Forward,
    /// It is answered here, with this JSON.
    Answer(&'static str),
    /// It is refused.
    Refuse(Refusal),
}

/// Groups that every application may call.
const GROUPS: [&str; 3] = ["eth_", "net_", "web3_"];
/// What an application may call that may look into nodes.
const INSPECTION: [&str; 2] = ["txpool_", "debug_trace"];
/// Of these groups: what a node would sign, mine or send with keys of its own.
const OWN_KEYS: [&str; 5] = ["eth_send", "eth_sign", "eth_submit", "eth_resend", "eth_getWork"];
/// What `eth_send…` may pass: it is signed already.
const SIGNED: &str = "eth_sendRaw";
/// Words of methods that show or take what is private between some members: a call may reach another member's node.
const PRIVATE: [&str; 4] = ["Private", "Privacy", "Payload", "Decrypt"];

/// Looks at a method; `inspect` when the application may look into nodes.
pub(crate) fn check(method: &str, inspect: bool) -> Verdict {
    if method == "eth_accounts" {
        // Nodes have no accounts for applications; a node that has keys of its own would name them.
        return Verdict::Answer("[]");
    }
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| method.starts_with(prefix));
    let passes = begins(&GROUPS) || (inspect && begins(&INSPECTION));
    let withheld =
        (begins(&OWN_KEYS) && !method.starts_with(SIGNED)) || PRIVATE.iter().any(|word| method.contains(word));
    if passes && !withheld {
        return Verdict::Forward;
    }
    // The words by which clients know a method that is not there. A name is as long as a client likes.
    let name: String = method.chars().take(100).collect();
    Verdict::Refuse(Refusal::new(
        Code::RpcMethod,
        format!("the method {name} does not exist/is not available to this application"),
    ))
}

/// Whether a call may be sent again when a node may have got it and did not answer.
///
/// Reads change nothing. A signed transaction is the same transaction whichever node gets it how often: its hash names it
/// and its nonce lets it happen once; so `eth_sendRawTransaction` may be sent again, as long as a node that says that it knows
/// it, or that its nonce is used, is not taken for a refusal ([`crate::forward`] asks). What else sends transactions either
/// waits for outcomes or carries conditions: of those the outcome is said to be unknown.
pub(crate) fn repeatable(method: &str) -> bool {
    method == SEND || !method.starts_with("eth_send")
}

/// Hands over a signed transaction.
pub(crate) const SEND: &str = "eth_sendRawTransaction";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_by_their_names() {
        for method in
            ["eth_call", "eth_sendRawTransaction", "eth_sendRawTransactionSync", "eth_subscribe", "net_version"]
        {
            assert!(matches!(check(method, false), Verdict::Forward), "{method}");
        }
        for method in ["txpool_content", "debug_traceTransaction"] {
            assert!(matches!(check(method, false), Verdict::Refuse(_)), "{method}");
            assert!(matches!(check(method, true), Verdict::Forward), "{method}");
        }
        assert!(matches!(check("eth_accounts", false), Verdict::Answer("[]")));
        for method in [
            "admin_peers",
            "personal_unlockAccount",
            "miner_stop",
            "istanbul_propose",
            "raft_addPeer",
            "clique_propose",
            "qbft_proposeValidatorVote",
            "debug_setHead",
            "eth_sendTransaction",
            "eth_sendTransactionAsync",
            "eth_sign",
            "eth_signTransaction",
            "eth_signTypedData_v4",
            "eth_resend",
            "eth_submitWork",
            "eth_getQuorumPayload",
            "eth_sendRawPrivateTransaction",
            "engine_newPayloadV3",
            "rpc_modules",
            "ETH_call",
            "",
            "eth",
        ] {
            assert!(matches!(check(method, true), Verdict::Refuse(_)), "{method}");
        }
    }

    #[test]
    fn only_what_is_the_same_twice_is_sent_twice() {
        assert!(repeatable("eth_call") && repeatable("eth_sendRawTransaction"));
        assert!(!repeatable("eth_sendRawTransactionSync") && !repeatable("eth_sendRawTransactionConditional"));
    }
}
