//! Cursor paging. A cursor is opaque to clients: base64url of the list's name and the last key that was answered.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use types::{Code, Page, PageQuery};

use crate::{Error, Result};

const DEFAULT: u32 = 50;
const MOST: u32 = 500;

/// Where a page starts and how long it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paging {
    list: &'static str,
    after: Option<String>,
    limit: u32,
}

impl Paging {
    /// Reads a query. `list` names the list, so that a cursor of another one is refused.
    pub fn new(list: &'static str, query: &PageQuery) -> Result<Paging> {
        Self::from_parts(list, query.cursor.as_deref(), query.limit)
    }

    /// The same for a query that has more parameters.
    pub fn from_parts(list: &'static str, cursor: Option<&str>, limit: Option<u32>) -> Result<Paging> {
        let limit = limit.unwrap_or(DEFAULT);
        if !(1..=MOST).contains(&limit) {
            return Err(Error::field(Code::RequestInvalid, "limit", format!("The limit must be from 1 to {MOST}.")));
        }
        let after = cursor.map(|cursor| decode(list, cursor)).transpose()?;
        Ok(Paging { list, after, limit })
    }

    /// The key after which the page starts.
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The key after which the page starts, where keys are numbers.
    pub fn after_number(&self) -> Result<Option<i64>> {
        self.after.as_deref().map(|key| key.parse().map_err(|_| wrong_cursor())).transpose()
    }

    /// How many rows to fetch: one more than the page, which tells whether there is a next one.
    pub fn fetch(&self) -> u32 {
        self.limit + 1
    }

    /// The longest that the page may be.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// The cursor of a key, for lists that make their pages themselves.
    pub fn cursor(&self, key: &str) -> String {
        encode(self.list, key)
    }

    /// Makes the page of what was fetched.
    pub fn page<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> String) -> Page<T> {
        let more = items.len() > self.limit as usize;
        items.truncate(self.limit as usize);
        let next = items.last().filter(|_| more).map(|last| encode(self.list, &key(last)));
        Page { items, next }
    }
}

fn encode(list: &str, key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}:{key}"))
}

fn decode(list: &str, cursor: &str) -> Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong_cursor())?;
    let text = String::from_utf8(bytes).map_err(|_| wrong_cursor())?;
    let key = text.strip_prefix(list).and_then(|rest| rest.strip_prefix(':')).ok_or_else(wrong_cursor)?;
    Ok(key.to_owned())
}

fn wrong_cursor() -> Error {
    Error::field(Code::CursorInvalid, "cursor", "The cursor is not one that this list gave. Start again without one.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_without_gaps_and_cursors_keep_to_their_list() {
        let all: Vec<u32> = (0..7).collect();
        let mut seen = Vec::new();
        let mut query = PageQuery { cursor: None, limit: Some(3) };
        loop {
            let paging = Paging::new("numbers", &query).unwrap();
            let after = paging.after_number().unwrap().unwrap_or(-1);
            let fetched: Vec<u32> =
                all.iter().copied().filter(|n| i64::from(*n) > after).take(paging.fetch() as usize).collect();
            let page = paging.page(fetched, u32::to_string);
            seen.extend(page.items);
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, all);
        assert_eq!(Paging::new("letters", &query).unwrap_err().code(), Code::CursorInvalid);
        for limit in [0, 501] {
            let query = PageQuery { cursor: None, limit: Some(limit) };
            assert_eq!(Paging::new("numbers", &query).unwrap_err().code(), Code::RequestInvalid);
        }
    }
}
