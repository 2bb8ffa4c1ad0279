//! What every planner and every ledger must do, as suites that each implementation runs.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use types::{Code, TransactionStatus, ValidatorChange};
use workload::{HostPort, Outputs, Placement, Placements, Plan, PortAddress};

use crate::{
    Accepted, AccountSpec, Action, Ballot, BlockId, Call, Draft, Error, Ledger, NetworkSpec, NodeSpec, Outcome,
    Planner, Position, Query, Signed, Signer, no_interfaces,
};

/// Runs the planner's suite on a draft that it accepts, with at least two members. `output` gives what a job's output
/// would be. Panics where the planner does not conform.
pub fn planner(planner: &dyn Planner, draft: &Draft, output: impl Fn(&str, &str) -> String) {
    let engine = planner.describe();
    let kind = engine.consensus.iter().find(|kind| kind.name == draft.consensus);
    let kind = kind.expect("it describes the consensus that it accepts");
    assert!(engine.roles.contains(&kind.role), "it describes the role of those that agree");
    assert_eq!(engine.options["type"], "object", "options are a JSON Schema of an object");
    let accepted = planner.accept(draft).expect("the draft is accepted");
    dealt(draft, &kind.role, &accepted);
    refuses(planner, draft);
    let settled = Draft { options: accepted.options.clone(), ..draft.clone() };
    assert_eq!(
        planner.accept(&settled).expect("filled-in options are accepted").options,
        accepted.options,
        "defaults stay as they are"
    );

    let spec = settle(draft, &accepted);
    let placements = place(planner, &spec);
    for placement in placements.values() {
        assert!(planner.endpoints(placement).rpc.is_none_or(|address| address.contains("127.0.0.1")));
    }
    let mut outputs = Outputs::new();
    let mut names = BTreeSet::new();
    // Each round must bring it further; the bound finds one that does not.
    for _ in 0..10 {
        let plan = planner.plan(&spec, &placements, &outputs).expect("it can be planned");
        assert_eq!(plan, planner.plan(&spec, &placements, &outputs).expect("again"), "planning is pure");
        let all: Vec<&String> =
            plan.jobs.iter().map(|job| &job.name).chain(plan.services.iter().map(|service| &service.name)).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "names are unique");
        assert!(names.iter().all(|name| all.contains(&name)), "names of earlier rounds stay");
        names = all.iter().map(|name| (*name).clone()).collect();
        let after =
            plan.jobs.iter().flat_map(|job| &job.after).chain(plan.services.iter().flat_map(|service| &service.after));
        assert!(after.into_iter().all(|name| names.contains(name)), "what comes before is in the plan");
        let nodes: BTreeSet<&String> = spec.nodes.iter().map(|node| &node.id).collect();
        assert!(plan.jobs.iter().all(|job| nodes.contains(&job.node)));
        if plan.complete && plan.is_prepared(&outputs) {
            let served: BTreeSet<&String> = plan.services.iter().map(|service| &service.node).collect();
            assert_eq!(served, nodes, "each node has its service");
            for service in &plan.services {
                let role = &spec.nodes.iter().find(|node| node.id == service.node).expect("checked above").role;
                let reserved = planner.ports(role);
                assert!(service.ports.iter().all(|port| reserved.contains(port)), "only reserved ports are used");
            }
            assert!(planner.plan(&spec, &Placements::new(), &outputs).is_err(), "placements are needed");
            return grows(planner, spec, placements, outputs, &kind.addable, &output);
        }
        give(&plan, &mut outputs, &output);
    }
    panic!("the plan is never complete");
}

/// Adds the outputs of the identities and jobs that are due.
fn give(plan: &Plan, outputs: &mut Outputs, output: impl Fn(&str, &str) -> String) {
    let identities: Vec<String> = plan.due_identities(outputs).map(|identity| identity.name.clone()).collect();
    let due: Vec<_> = plan.due_jobs(outputs).cloned().collect();
    assert!(!due.is_empty() || !identities.is_empty(), "a plan that is not complete has something to do");
    for name in identities {
        let values = ["certificate", "authority"].map(|part| (part.to_owned(), output(&name, part))).into();
        outputs.insert(name, values);
    }
    for job in due {
        let values = job.outputs.iter().map(|spec| (spec.name.clone(), output(&job.name, &spec.name))).collect();
        outputs.insert(job.name, values);
    }
}

/// A node that can be added is planned beside the others, whose preparation stays as it was; without it, all is as
/// before.
fn grows(
    planner: &dyn Planner,
    mut spec: NetworkSpec,
    mut placements: Placements,
    mut outputs: Outputs,
    addable: &[String],
    output: impl Fn(&str, &str) -> String,
) {
    let before = planner.plan(&spec, &placements, &outputs).expect("it can be planned");
    let first = spec.nodes[0].clone();
    let Some(role) = addable.first() else {
        assert!(planner.accept_node(&spec, &first.member, &first.role).is_err(), "what it does not say it refuses");
        assert!(planner.accept_removal(&spec, &first).is_err(), "what it does not say it refuses");
        return;
    };
    outputs.extend(before.records.clone());
    let planned = planner.accept_node(&spec, &first.member, role).expect("it says that it can be added");
    assert!(spec.nodes.iter().all(|node| node.name != planned.name), "the name is a new one");
    assert_eq!((&planned.member, &planned.role), (&first.member, role));
    let added = NodeSpec::new("node_new".into(), planned, None);
    spec.spent_names.push(added.name.clone());
    assert_ne!(
        planner.accept_node(&spec, &first.member, role).expect("again").name,
        added.name,
        "names are given once"
    );
    spec.nodes.push(added.clone());
    let alone = NetworkSpec { nodes: vec![added.clone()], ..spec.clone() };
    placements.extend(place(planner, &alone));
    let plan = loop {
        let plan = planner.plan(&spec, &placements, &outputs).expect("it can be planned");
        if plan.complete && plan.is_prepared(&outputs) {
            break plan;
        }
        assert!(plan.due_jobs(&outputs).all(|job| job.node == added.id), "nothing is prepared anew for the others");
        give(&plan, &mut outputs, &output);
    };
    assert!(plan.service(&added.id).is_some(), "it has a service");
    assert_eq!(plan.records, before.records, "what is recorded stays");
    for job in &before.jobs {
        assert!(plan.jobs.contains(job), "{} stays as it was", job.name);
    }
    planner.accept_removal(&spec, &added).expect("what was added can go");
    spec.nodes.pop();
    let after = planner.plan(&spec, &placements, &outputs).expect("it can be planned");
    assert_eq!((after.jobs, after.services), (before.jobs, before.services), "without it all is as before");
}

fn dealt(draft: &Draft, role: &str, accepted: &Accepted) {
    let agreeing = || accepted.nodes.iter().filter(|node| node.role == role);
    assert_eq!(agreeing().count(), draft.nodes as usize, "nodes that agree are counted, others are not");
    for (node, member) in agreeing().zip(draft.members.iter().cycle()) {
        assert_eq!(&node.member, member, "nodes are dealt to the members in turn");
    }
    for node in &accepted.nodes {
        assert!(draft.members.contains(&node.member), "{}", node.name);
        assert!(
            node.name
                .strip_prefix(&format!("{}/", draft.name))
                .is_some_and(|short| !short.is_empty() && !short.contains('/')),
            "{}",
            node.name
        );
    }
    let names: BTreeSet<_> = accepted.nodes.iter().map(|node| &node.name).collect();
    assert_eq!(names.len(), accepted.nodes.len());
    assert!(!accepted.notes.is_empty(), "it says what the choice means");
}

fn refuses(planner: &dyn Planner, draft: &Draft) {
    let wrong = [
        (Draft { consensus: "no-such-consensus".into(), ..draft.clone() }, Code::NetworkConsensus),
        (Draft { nodes: 0, ..draft.clone() }, Code::NetworkNodes),
        (Draft { nodes: 1_000_000, ..draft.clone() }, Code::NetworkNodes),
        (Draft { members: vec![], ..draft.clone() }, Code::ConsortiumMembers),
    ];
    for (draft, code) in wrong {
        let problem = planner.accept(&draft).expect_err("it does not fit");
        assert_eq!(problem.code, code.as_str());
        assert!(!problem.fields.is_empty(), "the wrong field is named: {problem:?}");
    }
    let options = serde_json::json!({"noSuchOption": 1});
    let problem = planner.accept(&Draft { options, ..draft.clone() }).expect_err("unknown options are refused");
    assert!(!problem.fields.is_empty());
}

/// A network of the draft, settled: nodes `node_1`, `node_2`, …, one account where the planner gives none.
pub fn settle(draft: &Draft, accepted: &Accepted) -> NetworkSpec {
    let mut number = 0;
    let node_id = || {
        number += 1;
        format!("node_{number}")
    };
    let mut spec = NetworkSpec::settle("net_1".into(), 1_750_000_000_000_000, draft, accepted, node_id);
    spec.engines = accepted.engines.iter().map(|engine| (engine.clone(), "1.0".to_owned())).collect();
    if spec.accounts.is_empty() {
        spec.accounts.push(AccountSpec {
            address: "0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B".into(),
            member: draft.members[0].clone(),
            balance: None,
            identity: None,
        });
        spec.chain_id = spec.chain_id.or(Some(4242));
    }
    spec
}

fn place(planner: &dyn Planner, spec: &NetworkSpec) -> Placements {
    let mut next = 20_000;
    let mut placement = |node: &NodeSpec| {
        let port = |spec: workload::PortSpec| {
            next += 1;
            let address = HostPort { host: "127.0.0.1".into(), port: next };
            (spec.name, PortAddress { inside: address.clone(), between: address.clone(), outside: address })
        };
        (node.id.clone(), Placement { ports: planner.ports(&node.role).into_iter().map(port).collect() })
    };
    spec.nodes.iter().map(&mut placement).collect()
}

/// What the ledger's suite works with: a fresh, running network with a contract that keeps a value.
pub struct LedgerCase<'a> {
    /// The ledger.
    pub ledger: &'a dyn Ledger,
    /// Id of a node that runs.
    pub node: &'a str,
    /// Who may spend.
    pub signer: &'a dyn Signer,
    /// Address of a contract that stands already, on a ledger that takes no deployments. Such a ledger counts no
    /// transactions and no gas, and leaves it to the contract what its functions are: the suite leaves that out.
    pub standing: Option<&'a str>,
    /// A contract and the arguments of its constructor; for one that stands, its interface.
    pub artifact: Value,
    /// See `artifact`.
    pub constructor: Value,
    /// A function that changes the value and emits one event, and its arguments.
    pub set: (&'a str, Value),
    /// A function that reads the value, its arguments, and what it answers after `set`.
    pub get: (&'a str, Value, Value),
    /// A function that is always refused, its arguments, and words of the reason.
    pub fail: (&'a str, Value, &'a str),
    /// Ids of the nodes that validate, all of them running; empty where validators are not voted on.
    pub voters: Vec<String>,
}

/// How long a transaction may take to be final.
const FINAL: Duration = Duration::from_secs(30);

impl LedgerCase<'_> {
    async fn sign(&self, action: Action, gas: Option<u64>) -> crate::Result<Signed> {
        let from = self.signer.address();
        let call = Call { from: from.into(), action, value: None, nonce: None, gas, transient: Default::default() };
        let signed = self.ledger.sign(&call, self.signer).await?;
        assert!(signed.from.eq_ignore_ascii_case(from));
        Ok(signed)
    }

    async fn commit(&self, action: Action, gas: Option<u64>) -> (Signed, Outcome) {
        let signed = self.sign(action, gas).await.expect("it can be prepared");
        self.ledger.send(&signed).await.expect("it is taken");
        let outcome = self.ledger.wait(&signed.id, FINAL).await.expect("its outcome is told");
        (signed, outcome)
    }

    fn send(&self, contract: &str, interface: &Value, function: &str, args: &Value) -> Action {
        Action::Send {
            contract: contract.into(),
            interface: interface.clone(),
            function: function.into(),
            args: args.clone(),
        }
    }
}

/// Runs the ledger's suite. Panics where the ledger does not conform.
pub async fn ledger(case: &LedgerCase<'_>) {
    let ledger = case.ledger;
    let artifact = ledger.artifact(&case.artifact).expect("the artifact is read");
    assert_eq!(artifact.deployable, case.standing.is_none());
    assert_eq!(code(ledger.artifact(&serde_json::json!({}))), Code::ContractArtifact);
    let interface = &artifact.interface;
    let start = ledger.health(case.node).await.expect("the node answers");

    let deploy = Action::Deploy { artifact: case.artifact.clone(), args: case.constructor.clone() };
    let contract = match case.standing {
        Some(contract) => {
            assert_eq!(code(case.sign(deploy, None).await), Code::RequestInvalid, "it takes no deployments");
            contract.to_owned()
        }
        None => {
            let (deployed, outcome) = case.commit(deploy, None).await;
            let Outcome::Committed(inclusion) = &outcome else { panic!("deployed: {outcome:?}") };
            assert_eq!(inclusion.contract, deployed.contract, "the address is known before");
            deployed.contract.clone().expect("a deployment makes a contract")
        }
    };
    assert_eq!(ledger.canonical_address(&contract).expect("it is an address"), contract);
    assert!(ledger.address(&contract).await.expect("it is known").code_size > 0);

    let (function, args) = &case.set;
    let (set, outcome) = case.commit(case.send(&contract, interface, function, args), None).await;
    let Outcome::Committed(inclusion) = &outcome else { panic!("set: {outcome:?}") };
    ledger.send(&set).await.expect("sending it again does no harm");
    let next = ledger.nonce(case.signer.address()).await.expect("counted");
    assert_eq!(next, set.nonce.map(|nonce| nonce + 1), "counted, where it counts");
    let (function, args, expected) = &case.get;
    let query = Query {
        from: None,
        contract: contract.clone(),
        interface: interface.clone(),
        function: (*function).into(),
        args: args.clone(),
        value: None,
        transient: Default::default(),
    };
    assert_eq!(&ledger.query(&query).await.expect("it answers"), expected);

    mistakes(case, &contract, interface, &query).await;
    explored(case, &set, inclusion.block).await;
    events(case, &set, start.height.expect("it keeps a ledger")).await;
    let health = ledger.health(case.node).await.expect("the node answers");
    assert!(health.height > start.height);
    assert!(matches!(ledger.health("no-such-node").await, Err(Error::Unreachable(_))));
    validators(case).await;
}

/// A validator is voted out and in again by more than half of them; a vote that is taken back counts no longer.
async fn validators(case: &LedgerCase<'_>) {
    let ledger = case.ledger;
    let [first, rest @ ..] = case.voters.as_slice() else {
        let nobody = Ballot { subject: "nobody".into(), choice: None };
        assert_eq!(code(ledger.validators().await), Code::RequestInvalid, "no votes are offered");
        assert_eq!(code(ledger.vote(case.node, &nobody).await), Code::RequestInvalid);
        return;
    };
    let subject = ledger.health(first).await.expect("the node answers").identity.expect("it has a name");
    let before = ledger.validators().await.expect("they are told");
    assert_eq!(before.validators.len(), case.voters.len());
    assert!(before.votes.is_empty(), "nobody has voted: {:?}", before.votes);
    let wrong = Ballot { subject: "no validator".into(), choice: Some(ValidatorChange::Add) };
    assert_eq!(code(ledger.vote(&rest[0], &wrong).await), Code::RequestInvalid);
    assert!(matches!(ledger.vote("no-such-node", &wrong).await, Err(Error::Unreachable(_) | Error::Problem(_))));

    for choice in [ValidatorChange::Remove, ValidatorChange::Add] {
        let ballot = Ballot { subject: subject.clone(), choice: Some(choice) };
        let voters = &rest[..before.deciding().min(rest.len())];
        ledger.vote(&voters[0], &ballot).await.expect("it votes");
        let pending = ledger.validators().await.expect("they are told");
        if voters.len() > 1 {
            let (vote, more) = pending.votes.split_first().expect("the vote is shown");
            let voter = ledger.health(&voters[0]).await.expect("the node answers").identity.expect("it has a name");
            assert_eq!((&vote.voter, &vote.subject, vote.choice), (&voter, &subject, choice), "{more:?}");
            let withdrawn = Ballot { choice: None, ..ballot.clone() };
            ledger.vote(&voters[0], &withdrawn).await.expect("it takes it back");
            ledger.vote(&voters[0], &withdrawn).await.expect("twice does no harm");
        }
        for voter in voters {
            ledger.vote(voter, &ballot).await.expect("it votes");
        }
        let end = tokio::time::Instant::now() + FINAL;
        let after = loop {
            let after = ledger.validators().await.expect("they are told");
            if after.is_so(&subject, choice) || tokio::time::Instant::now() > end {
                break after;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        assert!(after.is_so(&subject, choice), "{choice:?} within {FINAL:?}: {after:?}");
        assert!(after.votes.is_empty(), "what is decided is not voted on: {after:?}");
    }
    let after = ledger.validators().await.expect("they are told");
    assert_eq!(after.validators.len(), before.validators.len());
}

fn code<T: std::fmt::Debug>(result: crate::Result<T>) -> Code {
    result.expect_err("it is refused").code()
}

async fn mistakes(case: &LedgerCase<'_>, contract: &str, interface: &Value, query: &Query) {
    let ledger = case.ledger;
    let (function, args, words) = &case.fail;
    let fail = case.send(contract, interface, function, args);
    let error = case.sign(fail.clone(), None).await.expect_err("it is refused before it is sent");
    assert_eq!(error.code(), Code::ContractReverted);
    assert!(error.to_problem().detail.contains(words), "{error}");
    assert_eq!(code(ledger.address("0x12").await), Code::RequestInvalid);
    assert_eq!(code(ledger.read(b"nonsense")), Code::RequestInvalid);
    if case.standing.is_none() {
        counted(case, contract, fail, query).await;
    }
}

/// Mistakes on a ledger that counts transactions and gas and checks calls by their interface.
async fn counted(case: &LedgerCase<'_>, contract: &str, fail: Action, query: &Query) {
    let ledger = case.ledger;
    let (failed, outcome) = case.commit(fail, Some(500_000)).await;
    assert!(matches!(outcome, Outcome::Invalid { .. }), "sent all the same, it has no effect: {outcome:?}");
    let shown = ledger.transaction(&failed.id, &no_interfaces).await.expect("it is told").expect("it is known");
    assert_eq!(shown.summary.status, TransactionStatus::Reverted);
    assert!(shown.error.is_some());
    assert_eq!(
        code(ledger.query(&Query { function: "noSuchFunction".into(), ..query.clone() }).await),
        Code::ContractFunction
    );
    assert_eq!(
        code(ledger.query(&Query { args: serde_json::json!([1, 2, 3, 4, 5, 6]), ..query.clone() }).await),
        Code::ContractArguments
    );

    let stale = Call {
        from: case.signer.address().into(),
        action: Action::Raw { to: Some(contract.into()), data: None },
        value: None,
        nonce: Some(0),
        gas: Some(60_000),
        transient: Default::default(),
    };
    let signed = ledger.sign(&stale, case.signer).await.expect("it can be signed");
    assert_eq!(code(ledger.send(&signed).await), Code::TransactionRefused, "its counter was used");
    assert_eq!(ledger.outcome(&signed.id).await.expect("asked"), Outcome::Unknown);
    assert!(ledger.transaction(&signed.id, &no_interfaces).await.expect("asked").is_none());
}

async fn explored(case: &LedgerCase<'_>, set: &Signed, number: u64) {
    let ledger = case.ledger;
    let block = ledger.block(&BlockId::Number(number), &no_interfaces).await.expect("asked").expect("it is there");
    assert!(block.items.iter().any(|item| item.hash == set.id && item.status == TransactionStatus::Success));
    let same = ledger
        .block(&BlockId::Hash(block.summary.hash.clone()), &no_interfaces)
        .await
        .expect("asked")
        .expect("it is there");
    assert_eq!(same.summary.number, number);
    assert!(ledger.block(&BlockId::Number(u64::from(u32::MAX)), &no_interfaces).await.expect("asked").is_none());
    let blocks = ledger.blocks(Some(number + 1), 2).await.expect("asked");
    assert_eq!(
        (blocks.len(), blocks[0].number, &blocks[0].parent_hash),
        (2, number, &blocks[1].hash),
        "newest first, chained"
    );
    let shown = ledger.transaction(&set.id, &no_interfaces).await.expect("asked").expect("it is there");
    assert_eq!((shown.summary.block, shown.logs.len()), (Some(number), 1));

    // Page by page of one, each is met once and in order.
    let (mut before, mut met) = (None, Vec::new());
    for _ in 0..10_000 {
        let slice = ledger.transactions(before, 1, &no_interfaces).await.expect("asked");
        met.extend(slice.items.into_iter().map(|item| (item.block, item.index, item.hash)));
        before = slice.next;
        if before.is_none() {
            break;
        }
    }
    assert!(before.is_none(), "paging ends");
    assert!(met.windows(2).all(|pair| (pair[0].0, pair[0].1) > (pair[1].0, pair[1].1)), "newest first: {met:?}");
    assert!(met.iter().any(|(_, _, hash)| *hash == set.id));
}

async fn events(case: &LedgerCase<'_>, set: &Signed, from: u64) {
    let ledger = case.ledger;
    let start = Position { block: from + 1, index: 0 };
    let (found, end) = ledger.events(start, 100).await.expect("asked");
    let ours: Vec<_> = found.iter().filter(|event| event.transaction == set.id).collect();
    assert_eq!(ours.len(), 1);
    assert!(end >= ours[0].next);
    let (after, _) = ledger.events(ours[0].next, 100).await.expect("asked");
    assert!(after.iter().all(|event| event.transaction != set.id), "going on after an event does not give it again");
    let (one, next) = ledger.events(start, 1).await.expect("asked");
    assert_eq!((one.len(), one[0].next), (1, next), "a full page ends at its last event");
}
