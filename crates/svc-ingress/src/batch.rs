//! Batches: what may pass of one goes to a node together, and the answers come in the order of the calls.

use serde::Deserialize;
use serde_json::value::RawValue;
use types::Code;

use crate::call::Call;
use crate::refusal::Refusal;
use crate::rules::{self, Verdict};
use crate::{Ingress, Visit, whole};

/// As much of an answer as tells whose it is.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(default, borrow)]
    id: Option<&'a RawValue>,
}

/// A call of a batch, with its answer as far as it is known.
struct Entry<'a> {
    id: Option<&'a RawValue>,
    answer: Option<String>,
}

impl Ingress {
    /// Answers a batch: the text of the list of answers.
    pub(crate) async fn answer_batch(
        &self,
        visit: &Visit,
        calls: &[(&str, Result<Call<'_>, Refusal>)],
    ) -> Result<String, Refusal> {
        let mut entries = Vec::with_capacity(calls.len());
        let mut forwarded = Vec::new();
        let mut repeatable = true;
        for (text, call) in calls {
            let (id, answer) = match call {
                Err(refusal) => (None, Some(refusal.answer(None))),
                Ok(call) => match rules::check(call.method(), visit.admission.application.inspect) {
                    Verdict::Answer(result) => (call.id, Some(call.result(result))),
                    Verdict::Refuse(refusal) => (call.id, Some(refusal.answer(call.id))),
                    Verdict::Forward => {
                        forwarded.push(*text);
                        // Of one transaction among others it could not be told whether an error means that it was taken.
                        repeatable &= call.method() != rules::SEND && rules::repeatable(call.method());
                        (call.id, None)
                    }
                },
            };
            entries.push(Entry { id, answer });
        }
        let came;
        let mut answers: Vec<Option<(&RawValue, Option<&RawValue>)>> = Vec::new();
        if !forwarded.is_empty() {
            let body = format!("[{}]", forwarded.join(","));
            came = whole(self.forward(visit, body.into(), repeatable).await?.body).await?;
            let broken = |error: serde_json::Error| {
                Refusal::new(Code::NodeUnreachable, "The node did not answer the batch.").because(&error)
            };
            // An empty body answers notifications alone.
            let list: Vec<&RawValue> = if came.trim_ascii().is_empty() {
                Vec::new()
            } else if came.trim_ascii_start().first() == Some(&b'[') {
                serde_json::from_slice(&came).map_err(broken)?
            } else {
                // One error for all of the batch.
                return Ok(String::from_utf8_lossy(&came).into_owned());
            };
            for answer in list {
                let id = serde_json::from_str::<Answer<'_>>(answer.get()).map_err(broken)?.id;
                answers.push(Some((answer, id)));
            }
        }
        // Nodes answer in any order; the same id twice is answered in the order of the calls.
        let mut take = |id: &RawValue| {
            let is_its = |of: Option<&RawValue>| of.is_some_and(|of| of.get() == id.get());
            let place = answers.iter().position(|slot| slot.is_some_and(|(_, of)| is_its(of)))?;
            answers[place].take().map(|(answer, _)| answer.get().to_owned())
        };
        let lacking = Refusal::new(Code::NodeUnreachable, "The node did not answer this call of the batch.");
        let texts = entries.into_iter().filter_map(|entry| match (entry.answer, entry.id) {
            (Some(answer), _) => Some(answer),
            (None, Some(id)) => Some(take(id).unwrap_or_else(|| lacking.answer(Some(id)))),
            // A notification.
            (None, None) => None,
        });
        Ok(format!("[{}]", texts.collect::<Vec<_>>().join(",")))
    }
}
