//! Checking what a person asks for, and saying what it means.

use driver::{Accepted, AccountSpec, ChannelSpec, Draft, field_problem, field_problems, settle_mixed_options};
use serde_json::{Map, Value};
use types::{Code, FieldProblem, PlannedNode, Problem};

use crate::layout::{self, BFT, CA, ORDERER, PEER, RAFT};
use crate::plan::{engine, options};

#[allow(clippy::result_large_err, reason = "as in the trait")]
pub(crate) fn accept(draft: &Draft) -> Result<Accepted, Problem> {
    consensus(draft)?;
    members(draft)?;
    if draft.genesis.is_some() {
        let message = "The engine takes no genesis: each channel's first block follows from its members and orderers.";
        return Err(field_problem(Code::NetworkGenesis, "genesis", message));
    }
    if draft.chain_id.is_some() {
        return Err(field_problem(
            Code::RequestInvalid,
            "chainId",
            "The engine's networks have no chain id: leave it out.",
        ));
    }
    let mut wrong = Vec::new();
    let numbers = options::numbers(&draft.consensus);
    let settled = settle_mixed_options(&options::TEXTS, numbers, &draft.options, &Map::new(), &mut wrong);
    let text = |name: &str| settled.get(name).and_then(Value::as_str).unwrap_or_default();
    let owner = text(options::ORDERER_MEMBER);
    if !owner.is_empty() && !draft.members.iter().any(|member| member == owner) {
        let message = format!("`{owner}` takes no part in the network: name one of {}.", draft.members.join(", "));
        wrong.push(FieldProblem { field: format!("options.{}", options::ORDERER_MEMBER), message });
    }
    if !wrong.is_empty() {
        return Err(field_problems(Code::RequestInvalid, wrong));
    }
    let peers = settled.get(options::PEERS).and_then(Value::as_u64).unwrap_or(1);
    let with_ca = options::with_fabric_ca(&settled);
    let nodes = nodes(draft, owner, peers, with_ca);
    let name = text(options::CHANNEL).into();
    let channel = ChannelSpec { name, members: draft.members.clone(), joined: Vec::new(), created_at: None };
    let account = |member: &String| AccountSpec {
        address: layout::account(member),
        member: member.clone(),
        balance: None,
        identity: Some(layout::user(member)),
    };
    Ok(Accepted {
        chain_id: None,
        notes: notes(draft, &nodes, &settled),
        options: Value::Object(settled.clone()),
        nodes,
        channels: vec![channel],
        accounts: draft.members.iter().map(account).collect(),
        engines: with_ca.then(|| engine::CA_ENGINE.to_owned()).into_iter().collect(),
    })
}

#[allow(clippy::result_large_err, reason = "as in the trait")]
fn consensus(draft: &Draft) -> Result<(), Problem> {
    let Some(kind) = engine::consensus(&draft.consensus) else {
        let message = format!("The engine has no consensus `{}`: use `raft` or `bft`.", draft.consensus);
        return Err(field_problem(Code::NetworkConsensus, "consensus", &message));
    };
    let message = match draft.nodes {
        0 => "A network has at least one orderer.".to_owned(),
        count if count < kind.min_nodes => format!(
            "BFT needs at least {} orderers: with less, one that is down or dishonest stops them all. For {count} choose \
             raft, which needs 3 to tolerate one that is down.",
            kind.min_nodes
        ),
        count if count > kind.max_nodes => {
            let most = kind.max_nodes;
            format!(
                "{count} orderers are too many for {}: at most {most} are offered, since all take part in each block.",
                kind.name
            )
        }
        _ => String::new(),
    };
    if !message.is_empty() {
        return Err(field_problem(Code::NetworkNodes, "nodes", &message));
    }
    if draft.consensus == BFT && layout::before_3(draft.version.as_deref()) {
        let version = draft.version.as_deref().unwrap_or_default();
        let message = format!("Fabric {version} has no BFT: choose version 3 or newer, or raft.");
        return Err(field_problem(Code::NetworkConsensus, "version", &message));
    }
    Ok(())
}

#[allow(clippy::result_large_err, reason = "as in the trait")]
fn members(draft: &Draft) -> Result<(), Problem> {
    let message = match draft.members.as_slice() {
        [] => "A network needs at least one member.".to_owned(),
        [members @ .., last] => match members.iter().find(|member| layout::msp_id(member) == layout::msp_id(last)) {
            // Names of organisations are plain; two that differ only in what Fabric cannot write would be one to it.
            Some(other) => format!("`{other}` and `{last}` are the same to Fabric: rename one of them."),
            None => return Ok(()),
        },
    };
    Err(field_problem(Code::ConsortiumMembers, "members", &message))
}

fn nodes(draft: &Draft, owner: &str, peers: u64, with_ca: bool) -> Vec<PlannedNode> {
    let node = |short: String, member: &str, role: &str| PlannedNode {
        name: format!("{}/{short}", draft.name),
        member: member.into(),
        role: role.into(),
    };
    let turn = draft.members.iter().cycle().map(|member| if owner.is_empty() { member.as_str() } else { owner });
    let orderers = (1..=draft.nodes).zip(turn).map(|(at, member)| node(format!("orderer-{at}"), member, ORDERER));
    let peers = draft
        .members
        .iter()
        .flat_map(|member| (1..=peers).map(move |at| node(format!("peer-{member}-{at}"), member, PEER)));
    let authorities = draft.members.iter().filter(|_| with_ca).map(|member| node(layout::ca(member), member, CA));
    orderers.chain(peers).chain(authorities).collect()
}

fn notes(draft: &Draft, nodes: &[PlannedNode], options: &Map<String, Value>) -> Vec<String> {
    let number = |name: &str| options.get(name).and_then(Value::as_u64).unwrap_or_default();
    let count = draft.nodes as usize;
    let tolerated = if draft.consensus == RAFT { (count - 1) / 2 } else { (count - 1) / 3 };
    let needed = count - tolerated;
    let first = &nodes[0].member;
    let mut notes = vec![match draft.consensus.as_str() {
        _ if count == 1 => format!("{first} runs the only orderer: when it is down, nothing is written any more."),
        RAFT => format!(
            "Each block needs {needed} of {count} orderers: {tolerated} may be down at a time. None may be dishonest: raft does \
             not protect from an orderer that lies."
        ),
        _ => format!(
            "Each block needs the votes of {needed} of {count} orderers: {tolerated} may be down or dishonest at a time. To \
             tolerate f of them takes 3f + 1."
        ),
    }];
    for member in &draft.members {
        let own = nodes.iter().filter(|node| node.role == ORDERER && node.member == *member).count();
        if own == count && count > 1 {
            notes.push(format!(
                "{member} runs all orderers: it alone decides what is ordered and when, though it cannot change what others \
                 have endorsed."
            ));
        } else if own > tolerated && count > 1 {
            notes.push(format!(
                "{member} runs {own} of {count} orderers: when all of them are down, nothing is written any more."
            ));
        }
    }
    if nodes.iter().any(|node| node.role == CA) {
        notes.push(
            "Each member runs a Fabric CA: whom it enrols, all channels of the member take. While it is down, nobody new is \
             enrolled; all else goes on."
                .into(),
        );
    }
    let peers = number(options::PEERS);
    if peers == 1 {
        notes.push("Each member runs one peer: while it is down, the member can neither read nor endorse.".into());
    }
    if draft.members.len() > 1 {
        let majority = draft.members.len() / 2 + 1;
        notes.push(format!(
            "Unless a contract says otherwise, each of its transactions needs the endorsement of {majority} of {} members.",
            draft.members.len()
        ));
    }
    notes.push(format!(
        "A block is cut {} ms after its first transaction, or with {} transactions. It is final as soon as it is made.",
        number(options::BATCH_TIMEOUT),
        number(options::BATCH_MESSAGES)
    ));
    notes
}
