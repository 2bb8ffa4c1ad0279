//! Checking what a person asks for, and saying what it means.

use driver::{Accepted, Draft, NetworkSpec, field_problem, field_problems, settle_options};
use serde_json::{Map, Value};
use types::{Code, ConsensusKind, FieldProblem, PlannedNode, Problem};

use crate::plan::engine::{self, CLIQUE, DEV, RAFT};
use crate::plan::{Family, VALIDATOR, genesis, options};

#[allow(clippy::result_large_err, reason = "as in the trait")]
pub(crate) fn accept(family: Family, draft: &Draft) -> Result<Accepted, Problem> {
    let kind = consensus(family, draft).map_err(|problem| *problem)?;
    if draft.members.is_empty() {
        return Err(field_problem(Code::ConsortiumMembers, "members", "A network needs at least one member."));
    }
    version(family, &kind, draft).map_err(|problem| *problem)?;
    let mut wrong = Vec::new();
    let given = draft.genesis.as_ref().map(|given| genesis::read(given, &mut wrong)).unwrap_or_default();
    chain_id(family, draft, &given, &mut wrong);
    if !wrong.is_empty() {
        return Err(field_problems(Code::NetworkGenesis, wrong));
    }
    let settled = settle_options(options::of(family), &draft.options, &given.options, &mut wrong);
    rounds(&kind, &settled, &mut wrong);
    if !wrong.is_empty() {
        return Err(field_problems(Code::RequestInvalid, wrong));
    }
    let dealt = draft.members.iter().cycle().take(draft.nodes as usize).enumerate();
    let nodes: Vec<PlannedNode> = dealt
        .map(|(index, member)| PlannedNode {
            name: format!("{}/node-{}", draft.name, index + 1),
            member: member.clone(),
            role: VALIDATOR.into(),
        })
        .collect();
    let notes = notes(family, draft, &nodes, &settled);
    Ok(Accepted {
        chain_id: draft.chain_id.or(given.chain_id),
        options: Value::Object(settled),
        nodes,
        channels: vec![],
        accounts: vec![],
        engines: vec![],
        notes,
    })
}

/// One more node follows the others until it is voted in.
#[allow(clippy::result_large_err, reason = "as in the trait")]
pub(crate) fn accept_node(family: Family, spec: &NetworkSpec, member: &str) -> Result<PlannedNode, Problem> {
    let refuse = |message: String| Err(field_problem(Code::NetworkNodes, "kind", &message));
    match engine::consensus(family, &spec.consensus) {
        Some(kind) if kind.addable.is_empty() => {
            refuse(format!("Nodes cannot be added to a network with {}.", spec.consensus))
        }
        Some(kind) if spec.nodes.len() < kind.max_nodes as usize => {
            Ok(PlannedNode { name: spec.next_name("node"), member: member.into(), role: VALIDATOR.into() })
        }
        _ => refuse(format!("The network has {} nodes: no more are offered.", spec.nodes.len())),
    }
}

/// Whether it validates is for the ledger to tell.
#[allow(clippy::result_large_err, reason = "as in the trait")]
pub(crate) fn accept_removal(family: Family, spec: &NetworkSpec) -> Result<(), Problem> {
    let refuse = |message: &str| Err(Code::NodeState.problem(message));
    match engine::consensus(family, &spec.consensus) {
        Some(kind) if kind.addable.is_empty() => {
            refuse("A network with this consensus counts on the nodes that it was made with.")
        }
        _ if spec.nodes.len() == 1 => refuse("It is the network's only node: delete the network instead."),
        _ => Ok(()),
    }
}

fn consensus(family: Family, draft: &Draft) -> Result<ConsensusKind, Box<Problem>> {
    let Some(kind) = engine::consensus(family, &draft.consensus) else {
        let names: Vec<String> =
            engine::describe(family).consensus.iter().map(|kind| format!("`{}`", kind.name)).collect();
        let message = format!("The engine has no consensus `{}`: use {}.", draft.consensus, names.join(", "));
        return Err(Box::new(field_problem(Code::NetworkConsensus, "consensus", &message)));
    };
    let message = match draft.nodes {
        count if count < kind.min_nodes && kind.min_nodes > 1 => {
            format!(
                "{} needs at least {} nodes: with less, one failure stops them all. For fewer nodes choose another \
                 consensus.",
                draft.consensus, kind.min_nodes
            )
        }
        0 => "A network has at least one node.".into(),
        count if count > kind.max_nodes => {
            format!("{count} nodes are too many for {}: at most {} are offered.", draft.consensus, kind.max_nodes)
        }
        _ => return Ok(kind),
    };
    Err(Box::new(field_problem(Code::NetworkNodes, "nodes", &message)))
}

/// Clique went with geth 1.14, when the development chain of today came.
fn version(family: Family, kind: &ConsensusKind, draft: &Draft) -> Result<(), Box<Problem>> {
    let Some(version) = draft.version.as_deref().filter(|version| !kind.is_in(version)) else { return Ok(()) };
    let message = format!(
        "{} {version} has no consensus `{}`: use {}.",
        engine::name(family),
        kind.name,
        engine::tested_version(family, &kind.name)
    );
    Err(Box::new(field_problem(Code::NetworkConsensus, "version", &message)))
}

fn chain_id(family: Family, draft: &Draft, given: &genesis::Given, wrong: &mut Vec<FieldProblem>) {
    let mut refuse = |message: String| wrong.push(FieldProblem { field: "chainId".into(), message });
    if let (Some(asked), Some(found)) = (draft.chain_id, given.chain_id)
        && asked != found
    {
        refuse(format!("The request gives chain id {asked}, the genesis {found}: leave one out."));
    }
    match draft.chain_id.or(given.chain_id) {
        Some(id) if id == 0 || i64::try_from(id).is_err() => {
            refuse("A whole number from 1 to 9223372036854775807 is expected.".into());
        }
        // The mark of private transactions looks like a signature for chain 1 (EIP-155).
        Some(1) if family == Family::Quorum => refuse("GoQuorum does not run chain 1, Ethereum's own.".into()),
        _ => {}
    }
}

/// A round that ends before its block may be made never makes one.
fn rounds(kind: &ConsensusKind, options: &Map<String, Value>, wrong: &mut Vec<FieldProblem>) {
    let number = |name: &str| options.get(name).and_then(Value::as_u64);
    let (Some(period), Some(timeout)) = (number(options::BLOCK_PERIOD), number(options::REQUEST_TIMEOUT)) else {
        return;
    };
    if kind.name != RAFT && timeout <= period {
        let message = format!("It must be longer than the block period of {period} s.");
        wrong.push(FieldProblem { field: format!("options.{}", options::REQUEST_TIMEOUT), message });
    }
    let empty = number(options::EMPTY_BLOCK_PERIOD).unwrap_or_default();
    if kind.name != RAFT && empty > 0 && empty < period {
        let message = format!("It cannot be shorter than the block period of {period} s.");
        wrong.push(FieldProblem { field: format!("options.{}", options::EMPTY_BLOCK_PERIOD), message });
    }
}

fn notes(family: Family, draft: &Draft, nodes: &[PlannedNode], options: &Map<String, Value>) -> Vec<String> {
    let number = |name: &str| options.get(name).and_then(Value::as_u64).unwrap_or_default();
    let count = nodes.len();
    let mut notes = Vec::new();
    let tolerated = match draft.consensus.as_str() {
        RAFT | CLIQUE => (count - 1) / 2,
        _ => (count - 1) / 3,
    };
    notes.push(match draft.consensus.as_str() {
        _ if count == 1 => format!("{} runs the only node: when it is down, the network stands still.", nodes[0].member),
        RAFT => format!(
            "Each block needs {} of {count} nodes: {tolerated} may be down at a time. None may be dishonest: Raft does not \
             protect from a node that lies.",
            count - tolerated
        ),
        CLIQUE => format!(
            "{} of {count} signers must be up to make blocks: {tolerated} may be down at a time.",
            count - tolerated
        ),
        _ => format!(
            "Each block needs the votes of {} of {count} validators: {tolerated} may be down or dishonest at a time.",
            count - tolerated
        ),
    });
    for member in &draft.members {
        let own = nodes.iter().filter(|node| node.member == *member).count();
        if own > tolerated && count > 1 {
            notes.push(format!(
                "{member} runs {own} of {count} nodes: when all of them are down, the network stands still."
            ));
        } else if own == 0 {
            notes.push(format!("{member} runs no node: there are more members than nodes."));
        }
    }
    let period = number(options::BLOCK_PERIOD);
    notes.push(match draft.consensus.as_str() {
        CLIQUE => {
            let depth = count / 2 + 1;
            format!(
                "Blocks are not final at once: Polder takes a transaction for final {depth} blocks after its own, about {} s \
                 later, when more than half of the signers have built on it.",
                depth as u64 * period
            )
        }
        _ => "A block is final as soon as it is made: there are no forks and nothing has to be waited for.".into(),
    });
    notes.push(match draft.consensus.as_str() {
        RAFT => {
            format!("Blocks come when there are transactions, at most each {} ms.", number(options::RAFT_BLOCK_TIME))
        }
        _ => format!("A block comes each {period} s."),
    });
    if draft.consensus == DEV {
        notes.push(
            "For developing and testing: one node decides alone, and nobody else checks it. Contracts run by the rules of \
             Ethereum's newest forks, up to Osaka."
                .into(),
        );
    }
    notes.push(match family {
        Family::Geth if draft.consensus == DEV => {
            "Gas has a base fee that follows the demand (EIP-1559): each sender needs a balance. The members' accounts have \
             one from the start."
                .into()
        }
        Family::Geth => format!(
            "Gas costs {} wei: each sender needs a balance. The members' accounts have one from the start.",
            number(options::GAS_PRICE)
        ),
        _ => "Gas is free: senders need no balance.".into(),
    });
    let most = options::GAS_PER_SECOND * period / 2;
    if !matches!(draft.consensus.as_str(), RAFT | DEV) && number(options::GAS_LIMIT) > most {
        notes.push(format!(
            "A full block of {} gas may take longer than half of the block period to build on a small machine: under load \
             blocks may then stay empty. {most} is safe.",
            number(options::GAS_LIMIT)
        ));
    }
    if draft.consensus == RAFT {
        notes.push(
            "GoQuorum's Raft listens on all of a machine's addresses and without encryption: keep its ports behind a \
             firewall."
                .into(),
        );
    }
    notes
}
