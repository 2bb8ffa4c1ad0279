//! Signature policies in Fabric's text form: `AND('AMSP.peer', OR('BMSP.admin', 'CMSP.member'))`, `OutOf(2, …)`.
//!
//! The language is that of Fabric's "Endorsement policies" page: `AND`, `OR` and `OutOf(n, …)` in any of the three
//! spellings that its programs take, over principals `'MSP.role'` in single or double quotes. Unlike there, a threshold must be
//! between 1 and the number of its parts: 0 is met by nobody's signature and more can never be met. The rules that come out are the same
//! bytes as the programs' own, so that organisations approve the same definition whatever they use.

use std::fmt;
use std::str::FromStr;

use prost::Message as _;

use crate::proto::common::{
    MspPrincipal, MspRole, SignaturePolicy, SignaturePolicyEnvelope, msp_principal::Classification,
    msp_role::MspRoleType, signature_policy,
};
use crate::{Error, Result};

/// Deeper policies than this are refused, so that reading one needs little stack.
const DEEPEST: usize = 32;

/// Who may be asked for a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrincipalRole {
    /// Anybody of the organisation.
    Member,
    /// An administrator.
    Admin,
    /// A client.
    Client,
    /// A peer.
    Peer,
    /// An orderer.
    Orderer,
}

const ROLES: [(PrincipalRole, &str, MspRoleType); 5] = [
    (PrincipalRole::Member, "member", MspRoleType::Member),
    (PrincipalRole::Admin, "admin", MspRoleType::Admin),
    (PrincipalRole::Client, "client", MspRoleType::Client),
    (PrincipalRole::Peer, "peer", MspRoleType::Peer),
    (PrincipalRole::Orderer, "orderer", MspRoleType::Orderer),
];

/// A signature policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// One signature of an organisation's role.
    Principal {
        /// The organisation's MSP.
        msp_id: String,
        /// The role.
        role: PrincipalRole,
    },
    /// So many of the given policies.
    OutOf {
        /// How many, from 1 to the number of rules.
        threshold: u32,
        /// Of which.
        rules: Vec<Policy>,
    },
}

impl Policy {
    /// The ids of the organisations that it names, each once, in order.
    pub fn organisations(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect<'a>(&'a self, found: &mut Vec<&'a str>) {
        match self {
            Self::Principal { msp_id, .. } => {
                if !found.contains(&msp_id.as_str()) {
                    found.push(msp_id);
                }
            }
            Self::OutOf { rules, .. } => rules.iter().for_each(|rule| rule.collect(found)),
        }
    }

    /// As Fabric stores it.
    pub fn envelope(&self) -> SignaturePolicyEnvelope {
        let mut identities = Vec::new();
        let rule = encode(self, &mut identities);
        SignaturePolicyEnvelope { version: 0, rule: Some(rule), identities }
    }

    /// Reads what Fabric stores; roles only, other kinds of principals have no text form.
    pub fn from_envelope(envelope: &SignaturePolicyEnvelope) -> Result<Self> {
        let rule = envelope.rule.as_ref().ok_or_else(|| Error::missing("a policy"))?;
        decode(rule, &envelope.identities, 0)
    }
}

fn encode(policy: &Policy, identities: &mut Vec<MspPrincipal>) -> SignaturePolicy {
    let kind = match policy {
        Policy::Principal { msp_id, role } => {
            let role = ROLES.iter().find(|(own, ..)| own == role).map_or(MspRoleType::Member, |(.., wire)| *wire);
            // A principal that is named twice stands twice, as in Fabric's own programs.
            let position = identities.len();
            identities.push(MspPrincipal {
                principal_classification: Classification::Role.into(),
                principal: MspRole { msp_identifier: msp_id.clone(), role: role.into() }.encode_to_vec(),
            });
            signature_policy::Type::SignedBy(i32::try_from(position).unwrap_or(i32::MAX))
        }
        Policy::OutOf { threshold, rules } => {
            // Fabric's programs number what stands in inner gates before a gate's own principals.
            let mut encoded = vec![SignaturePolicy::default(); rules.len()];
            for inner in [true, false] {
                for (rule, place) in rules.iter().zip(&mut encoded) {
                    if matches!(rule, Policy::OutOf { .. }) == inner {
                        *place = encode(rule, identities);
                    }
                }
            }
            let n = i32::try_from(*threshold).unwrap_or(i32::MAX);
            signature_policy::Type::NOutOf(signature_policy::NOutOf { n, rules: encoded })
        }
    };
    SignaturePolicy { r#type: Some(kind) }
}

fn decode(rule: &SignaturePolicy, identities: &[MspPrincipal], depth: usize) -> Result<Policy> {
    if depth > DEEPEST {
        return Err(Error::invalid("a policy", "it is nested too deeply"));
    }
    match rule.r#type.as_ref().ok_or_else(|| Error::missing("a policy"))? {
        signature_policy::Type::SignedBy(position) => {
            let principal = usize::try_from(*position).ok().and_then(|position| identities.get(position));
            let principal = principal.ok_or_else(|| Error::missing("a policy"))?;
            if principal.principal_classification != i32::from(Classification::Role) {
                return Err(Error::invalid("a policy", "it names a principal by something other than a role"));
            }
            let wire: MspRole = crate::codec::decode("a policy", &principal.principal)?;
            let role = ROLES.iter().find(|(.., own)| i32::from(*own) == wire.role);
            let (role, ..) = role.ok_or_else(|| Error::invalid("a policy", "it names an unknown role"))?;
            Ok(Policy::Principal { msp_id: wire.msp_identifier, role: *role })
        }
        signature_policy::Type::NOutOf(part) => Ok(Policy::OutOf {
            threshold: u32::try_from(part.n).map_err(|_| Error::invalid("a policy", "a threshold is negative"))?,
            rules: part.rules.iter().map(|rule| decode(rule, identities, depth + 1)).collect::<Result<_>>()?,
        }),
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal { msp_id, role } => {
                let role = ROLES.iter().find(|(own, ..)| own == role).map_or("member", |(_, name, _)| *name);
                write!(formatter, "'{msp_id}.{role}'")
            }
            Self::OutOf { threshold, rules } => {
                match *threshold {
                    1 => formatter.write_str("OR(")?,
                    n if n as usize == rules.len() => formatter.write_str("AND(")?,
                    n => write!(formatter, "OutOf({n}, ")?,
                }
                for (number, rule) in rules.iter().enumerate() {
                    write!(formatter, "{}{rule}", if number > 0 { ", " } else { "" })?;
                }
                formatter.write_str(")")
            }
        }
    }
}

impl FromStr for Policy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut reader = Reader { text, at: 0 };
        let policy = reader.policy(0)?;
        reader.space();
        if reader.at < text.len() {
            return Err(reader.error("something follows the end of the policy"));
        }
        // A lone principal is what Fabric's programs refuse, with a message that helps nobody.
        if matches!(policy, Self::Principal { .. }) {
            return Err(Error::Policy { position: 1, reason: "a principal stands in AND, OR or OutOf".to_owned() });
        }
        Ok(policy)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, reason: impl Into<String>) -> Error {
        Error::Policy { position: self.text[..self.at].chars().count() + 1, reason: reason.into() }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, wanted: char) -> bool {
        self.space();
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn expect(&mut self, wanted: char) -> Result<()> {
        if self.take(wanted) { Ok(()) } else { Err(self.error(format!("`{wanted}` is missing"))) }
    }

    fn word(&mut self) -> &'a str {
        self.space();
        let rest = self.rest();
        let word = &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    fn policy(&mut self, depth: usize) -> Result<Policy> {
        if depth > DEEPEST {
            return Err(self.error("it is nested too deeply"));
        }
        self.space();
        if self.rest().starts_with(['\'', '"']) {
            return self.principal();
        }
        let start = self.at;
        let threshold = match self.word() {
            "AND" | "And" | "and" => Threshold::All,
            "OR" | "Or" | "or" => Threshold::One,
            "OutOf" | "OUTOF" | "outof" => Threshold::Given,
            word => {
                self.at = start;
                let reason = match word {
                    "" => "AND, OR, OutOf or a quoted principal is missing".to_owned(),
                    word => format!("`{word}` is none of AND, OR, OutOf"),
                };
                return Err(self.error(reason));
            }
        };
        self.expect('(')?;
        let given = match threshold {
            Threshold::Given => {
                self.space();
                let (at, word) = (self.at, self.word());
                let Ok(number) = word.parse::<u32>() else {
                    self.at = at;
                    return Err(self.error("OutOf starts with a number"));
                };
                self.expect(',')?;
                Some((at, number))
            }
            _ => None,
        };
        let mut rules = vec![self.policy(depth + 1)?];
        while self.take(',') {
            rules.push(self.policy(depth + 1)?);
        }
        self.expect(')')?;
        let count = u32::try_from(rules.len()).unwrap_or(u32::MAX);
        let threshold = match (threshold, given) {
            (Threshold::All, _) => count,
            (_, Some((at, number))) if number == 0 || number > count => {
                self.at = at;
                return Err(self.error(format!("{number} of {count} cannot be: give 1 to {count}")));
            }
            (_, Some((_, number))) => number,
            _ => 1,
        };
        Ok(Policy::OutOf { threshold, rules })
    }

    fn principal(&mut self) -> Result<Policy> {
        let quote = if self.rest().starts_with('"') { '"' } else { '\'' };
        let start = self.at;
        self.at += 1;
        let Some(length) = self.rest().find(quote) else {
            self.at = start;
            return Err(self.error("a quote is not closed"));
        };
        let text = &self.rest()[..length];
        let Some((msp_id, role)) = text.rsplit_once('.') else {
            self.at = start;
            return Err(self.error(format!("`{text}` is no principal: MSP.role")));
        };
        let found = ROLES.iter().find(|(_, name, _)| *name == role);
        let Some((role, ..)) = found else {
            self.at += msp_id.len() + 1;
            return Err(self.error(format!("`{role}` is no role: member, admin, client, peer, orderer")));
        };
        if msp_id.is_empty() || !msp_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)) {
            return Err(self.error(format!("`{msp_id}` is no MSP id")));
        }
        self.at += length + 1;
        Ok(Policy::Principal { msp_id: msp_id.to_owned(), role: *role })
    }
}

#[derive(Clone, Copy)]
enum Threshold {
    All,
    One,
    Given,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policies() -> impl Strategy<Value = Policy> {
        let role = prop::sample::select(ROLES.map(|(role, ..)| role).to_vec());
        let leaf =
            ("[A-Za-z0-9][A-Za-z0-9.-]{0,8}", role).prop_map(|(msp_id, role)| Policy::Principal { msp_id, role });
        let tree = leaf.prop_recursive(4, 24, 4, |inner| {
            (prop::collection::vec(inner, 1..4), any::<prop::sample::Index>())
                .prop_map(|(rules, index)| Policy::OutOf { threshold: index.index(rules.len()) as u32 + 1, rules })
        });
        tree.prop_map(|policy| match policy {
            Policy::Principal { .. } => Policy::OutOf { threshold: 1, rules: vec![policy] },
            policy => policy,
        })
    }

    proptest! {
        #[test]
        fn text_and_bytes_give_the_policy_back(policy in policies()) {
            let text = policy.to_string();
            prop_assert_eq!(&text.parse::<Policy>().map_err(|failure| TestCaseError::fail(failure.to_string()))?, &policy);
            let again = Policy::from_envelope(&policy.envelope());
            prop_assert_eq!(&again.map_err(|failure| TestCaseError::fail(failure.to_string()))?, &policy);
        }

        #[test]
        fn rubbish_never_panics(text in "[ANDORoutf(),'\"0-9.a-zä ]{0,40}") {
            let _ = text.parse::<Policy>();
        }
    }

    #[test]
    fn errors_say_what_and_where() {
        let cases = [
            ("", "AND, OR, OutOf or a quoted principal is missing at character 1"),
            ("'A.peer'", "a principal stands in AND, OR or OutOf at character 1"),
            ("XOR('A.peer')", "`XOR` is none of AND, OR, OutOf at character 1"),
            ("AND('A.peer'", "`)` is missing at character 13"),
            ("AND('A.peer',)", "AND, OR, OutOf or a quoted principal is missing at character 14"),
            ("AND('A.boss')", "`boss` is no role: member, admin, client, peer, orderer at character 8"),
            ("AND('A')", "`A` is no principal: MSP.role at character 5"),
            ("AND('A.peer)", "a quote is not closed at character 5"),
            ("OutOf('A.peer')", "OutOf starts with a number at character 7"),
            ("OutOf(3, 'A.peer', 'B.peer')", "3 of 2 cannot be: give 1 to 2 at character 7"),
            ("OR('A.peer') x", "something follows the end of the policy at character 14"),
        ];
        for (text, message) in cases {
            let failure = text.parse::<Policy>().expect_err(text);
            assert_eq!(failure.to_string(), format!("policy: {message}"), "{text}");
        }
        let deep = "AND(".repeat(100_000);
        assert!(deep.parse::<Policy>().is_err());
    }
}
