//! Facts and the prose of a model to rows and back. A row and an entry of the view hold the same
//! record, so that either can restore the other.
//!
//! A record that does not fit its checksum is an error here, never a fact.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_64;

use super::StoreError;
use crate::memory::fact::{Fact, FactId, Reader};
use crate::memory::page::PageId;
use crate::memory::prompts::ModelProfile;
use crate::time::Timestamp;

/// A fact as it is stored and shown in the view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FactRecord {
    fact_id: u32,
    attribute: String,
    key: String,
    value: String,
    negated: bool,
    /// The user's own words, which are what is shown.
    clause: String,
    said_on: String,
    sources: Vec<String>,
    said_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    when: Option<String>,
    valid_from: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_to: Option<String>,
    closed: bool,
    explicit: bool,
    /// Whether a model pointed at it: `rule` or `model`.
    reader: String,
}

impl FactRecord {
    fn of(fact: &Fact) -> Self {
        Self {
            fact_id: fact.id.0,
            attribute: fact.attribute.to_string(),
            key: fact.key.clone(),
            value: fact.value.clone(),
            negated: fact.negated,
            clause: fact.clause.clone(),
            said_on: fact.said_on.to_string(),
            sources: fact.sources.iter().map(ToString::to_string).collect(),
            said_at: fact.said_at.to_string(),
            when: fact.when.clone(),
            valid_from: fact.valid_from.to_string(),
            valid_to: fact.valid_to.map(|to| to.to_string()),
            closed: fact.closed,
            explicit: fact.explicit,
            reader: reader_name(fact.reader).to_owned(),
        }
    }

    fn into_fact(self) -> Option<Fact> {
        let time = |text: &str| Timestamp::parse(text).ok();
        let sources: Result<Vec<PageId>, _> = self.sources.iter().map(|id| id.parse()).collect();
        Some(Fact {
            id: FactId(self.fact_id),
            attribute: self.attribute.parse().ok()?,
            key: self.key,
            value: self.value,
            negated: self.negated,
            clause: self.clause,
            said_on: self.said_on.parse().ok()?,
            sources: sources.ok()?,
            said_at: time(&self.said_at)?,
            when: self.when,
            valid_from: time(&self.valid_from)?,
            valid_to: match self.valid_to {
                Some(to) => Some(time(&to)?),
                None => None,
            },
            closed: self.closed,
            explicit: self.explicit,
            reader: [Reader::Rule, Reader::Model]
                .into_iter()
                .find(|reader| reader_name(*reader) == self.reader)?,
        })
    }
}

fn reader_name(reader: Reader) -> &'static str {
    match reader {
        Reader::Rule => "rule",
        Reader::Model => "model",
    }
}

/// Returns a fact as it stands in the view: its record, and the checksum of it.
pub(crate) fn shown(fact: &Fact) -> Value {
    let record = text(&FactRecord::of(fact));
    let mut value: Map<String, Value> = serde_json::from_str(&record).unwrap_or_default();
    value.insert("checksum".to_owned(), checksum(&record).into());
    value.into()
}

/// Reads a fact from an object of a view; none if it is not as we wrote it.
pub(crate) fn from_shown(object: &Map<String, Value>) -> Option<Fact> {
    let record: FactRecord = serde_json::from_value(object.clone().into()).ok()?;
    let whole = object.get("checksum").and_then(Value::as_str) == Some(&checksum(&text(&record)));
    if whole { record.into_fact() } else { None }
}

/// Returns the checksum that an object of a view should have; none if it is no fact.
#[cfg(any(test, fuzzing))]
pub(super) fn sum_of(object: &Map<String, Value>) -> Option<String> {
    let record: FactRecord = serde_json::from_value(object.clone().into()).ok()?;
    Some(checksum(&text(&record)))
}

/// Writes the whole present state of a fact.
pub(crate) fn put(conn: &Connection, fact: &Fact) -> Result<(), StoreError> {
    let record = text(&FactRecord::of(fact));
    conn.prepare_cached("INSERT OR REPLACE INTO facts (id, record, checksum) VALUES (?1, ?2, ?3)")?
        .execute(params![fact.id.0, record, checksum(&record)])?;
    Ok(())
}

/// Removes a fact; a missing one is no error.
pub(crate) fn remove(conn: &Connection, id: FactId) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM facts WHERE id = ?1")?.execute([id.0])?;
    Ok(())
}

/// Reads one fact; none when there is no such row.
pub(crate) fn get(conn: &Connection, id: FactId) -> Result<Option<Fact>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT record, checksum FROM facts WHERE id = ?1")?;
    let row = statement.query_row([id.0], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
    row.map(|(record, sum): (String, String)| parse(id.0, &record, &sum)).transpose()
}

/// Calls `each` with every fact row, readable or not, in the order of the numbers.
pub(crate) fn each(
    conn: &Connection,
    mut each: impl FnMut(Result<Fact, StoreError>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT id, record, checksum FROM facts ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, record, sum): (u32, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        each(parse(id, &record, &sum))?;
    }
    Ok(())
}

/// Reads all facts, in the order of the numbers.
pub(crate) fn all(conn: &Connection) -> Result<Vec<Fact>, StoreError> {
    let mut facts = Vec::new();
    each(conn, |fact| {
        facts.push(fact?);
        Ok(())
    })?;
    Ok(facts)
}

/// Returns the number of the last fact ever stored; 0 before the first.
pub(crate) fn last_id(conn: &Connection) -> Result<FactId, StoreError> {
    let sql = "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'facts'";
    Ok(conn.prepare_cached(sql)?.query_row([], |r| r.get(0).map(FactId))?)
}

/// The prose of a model as it is stored and shown in the view.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ProseRecord {
    needs_and_personality: String,
    expectations_of_the_assistant: String,
    interests: String,
    cites: Vec<String>,
}

impl ProseRecord {
    /// Makes the record of a model's prose.
    pub(crate) fn of(profile: &ModelProfile) -> Self {
        Self {
            needs_and_personality: profile.needs.clone(),
            expectations_of_the_assistant: profile.expectations.clone(),
            interests: profile.interests.clone(),
            cites: profile.cites.iter().map(ToString::to_string).collect(),
        }
    }

    /// Turns the record back; none if it does not name pages.
    pub(crate) fn into_profile(self) -> Option<ModelProfile> {
        let cites: Result<Vec<PageId>, _> = self.cites.iter().map(|id| id.parse()).collect();
        Some(ModelProfile {
            needs: self.needs_and_personality,
            expectations: self.expectations_of_the_assistant,
            interests: self.interests,
            cites: cites.ok()?,
        })
    }
}

/// Writes the prose of a model.
pub(crate) fn put_prose(conn: &Connection, profile: &ModelProfile) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR REPLACE INTO profile (key, value) VALUES ('model', ?1)")?
        .execute([text(&ProseRecord::of(profile))])?;
    Ok(())
}

/// Removes the prose of a model.
pub(crate) fn remove_prose(conn: &Connection) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM profile WHERE key = 'model'")?.execute([])?;
    Ok(())
}

/// Reads the prose of a model; none if there is none, or if it is unreadable: the next analysis
/// writes it again.
pub(crate) fn prose(conn: &Connection) -> Result<Option<ModelProfile>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT value FROM profile WHERE key = 'model'")?;
    let record: Option<String> = statement.query_row([], |r| r.get(0)).optional()?;
    let parsed = record.and_then(|text| serde_json::from_str::<ProseRecord>(&text).ok());
    Ok(parsed.and_then(ProseRecord::into_profile))
}

fn text<T: Serialize>(record: &T) -> String {
    serde_json::to_string(record).unwrap_or_default()
}

pub(super) fn checksum(record: &str) -> String {
    format!("{:016x}", xxh3_64(record.as_bytes()))
}

pub(super) fn parse(id: u32, record: &str, sum: &str) -> Result<Fact, StoreError> {
    let fact = (checksum(record) == sum)
        .then(|| serde_json::from_str::<FactRecord>(record).ok())
        .flatten()
        .and_then(FactRecord::into_fact)
        .filter(|fact| fact.id.0 == id);
    fact.ok_or_else(|| {
        let path = std::path::Path::new("memory.db");
        StoreError::damaged(path, format!("fact {id} is not as it was written"))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::schema;
    use super::*;
    use crate::memory::fact::Attribute;

    /// A fact with something in every field.
    pub(crate) fn sample(id: u32) -> Fact {
        let time = |text| Timestamp::parse(text).unwrap();
        let page = PageId::generate();
        Fact {
            id: FactId(id),
            attribute: Attribute::Family,
            key: "family/sister/anna".to_owned(),
            value: "\u{732b} \"Anna\"".to_owned(),
            negated: true,
            clause: "my sister \u{0} Anna\n".to_owned(),
            said_on: page,
            sources: vec![page, PageId::generate()],
            said_at: time("2026-05-01T09:30:00.5+02:00"),
            when: Some("last week".to_owned()),
            valid_from: time("2026-04-20T00:00:00+02:00"),
            valid_to: Some(time("2026-04-27T00:00:00+02:00")),
            closed: true,
            explicit: true,
            reader: Reader::Model,
        }
    }

    fn database() -> (tempfile::TempDir, Connection) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.db");
        schema::create(&path, true, |_| Ok(())).unwrap();
        let conn = schema::connect(&path, schema::Access::ReadWrite).unwrap();
        (dir, conn)
    }

    #[test]
    fn a_fact_comes_back_as_it_was_written_from_its_row_and_from_the_view() {
        let (_dir, conn) = database();
        let facts = [sample(1), Fact { when: None, valid_to: None, ..sample(2) }];
        for fact in &facts {
            put(&conn, fact).unwrap();
            assert_eq!(from_shown(shown(fact).as_object().unwrap()).as_ref(), Some(fact));
        }
        assert_eq!(all(&conn).unwrap(), facts);
        remove(&conn, FactId(2)).unwrap();
        assert_eq!(get(&conn, FactId(2)).unwrap(), None);
        assert_eq!(last_id(&conn).unwrap(), FactId(2));
    }

    #[test]
    fn a_record_that_was_changed_is_no_fact() {
        let (_dir, conn) = database();
        put(&conn, &sample(1)).unwrap();
        conn.execute_batch("UPDATE facts SET record = replace(record, 'Anna', 'Anne')").unwrap();
        assert!(get(&conn, FactId(1)).unwrap_err().is_damage());
        let mut value = shown(&sample(1));
        value["value"] = "other".into();
        assert_eq!(from_shown(value.as_object().unwrap()), None);
    }

    #[test]
    fn the_prose_of_a_model_comes_back_and_goes() {
        let (_dir, conn) = database();
        let profile = ModelProfile {
            needs: "quiet".to_owned(),
            expectations: "short answers".to_owned(),
            interests: String::new(),
            cites: vec![PageId::generate()],
        };
        put_prose(&conn, &profile).unwrap();
        assert_eq!(prose(&conn).unwrap().as_ref(), Some(&profile));
        remove_prose(&conn).unwrap();
        assert_eq!(prose(&conn).unwrap(), None);
    }
}
