//! What statements do to what is known.

use super::*;
use crate::memory::fact::Attribute::{
    Diet, Dislike, Employer, Family, Home, Like, Name, Plan, Purchase,
};

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// A page said at noon of a day of May 2026, whose time may be late or not.
fn page(day: u32, may_be_late: bool) -> SaidOn {
    let at = at(&format!("2026-05-{day:02} 12:00:00"));
    SaidOn { slot: Slot(day), id: PageId::generate(), at, may_be_late, reader: Reader::Rule }
}

fn says(attribute: Attribute, head: &str, value: &str) -> Statement {
    Statement {
        attribute,
        head: head.to_owned(),
        value: value.to_owned(),
        negated: false,
        act: Act::Hold,
        clause: format!("my {attribute} is {value}"),
        when: None,
        valid_from: None,
        valid_to: None,
        explicit: false,
    }
}

fn ends(attribute: Attribute, head: &str, value: &str) -> Statement {
    Statement { act: Act::End, ..says(attribute, head, value) }
}

fn denies(attribute: Attribute, head: &str, value: &str) -> Statement {
    Statement { negated: true, ..says(attribute, head, value) }
}

struct Story(LongTerm);

impl Story {
    fn new(capacity: usize) -> Self {
        Self(LongTerm::new(capacity))
    }

    fn tell(&mut self, on: SaidOn, statements: &[Statement]) -> &mut Self {
        let mut draft = LongDraft::new(&self.0);
        draft.learn(statements.to_vec(), on);
        let change = draft.finish(at("2026-06-01"));
        self.0.apply(change);
        self
    }

    /// The facts that hold, oldest first: key and value, with `!` before what is denied.
    fn held(&self) -> Vec<String> {
        self.shown(|fact| !fact.closed)
    }

    fn history(&self) -> Vec<String> {
        self.shown(|fact| fact.closed)
    }

    fn shown(&self, is: impl Fn(&Fact) -> bool) -> Vec<String> {
        let facts = self.0.facts().filter(|fact| is(fact));
        facts
            .map(|f| format!("{}{}={}", if f.negated { "!" } else { "" }, f.key, f.value))
            .collect()
    }
}

#[test]
fn what_is_said_again_is_one_fact_with_more_sources() {
    let mut story = Story::new(100);
    let (first, second) = (page(1, false), page(2, false));
    story.tell(first, &[says(Like, "tea", "green tea")]);
    story.tell(second, &[says(Like, "tea", "Green tea!")]);
    assert_eq!(story.held(), ["like/tea=green tea"]);
    let fact = story.0.facts().next().unwrap();
    assert_eq!(fact.sources, [first.id, second.id]);
    assert_eq!(fact.said_at, first.at);
    story.tell(second, &[says(Like, "tea", "green tea")]);
    assert_eq!(story.0.facts().next().unwrap().sources.len(), 2, "read again");
}

#[test]
fn a_fact_remembers_its_first_and_its_newest_sources() {
    let mut story = Story::new(100);
    let pages: Vec<SaidOn> = (0..40).map(|n| page(1 + n % 28, false)).collect();
    for on in &pages {
        story.tell(*on, &[says(Like, "tea", "tea")]);
    }
    let sources = &story.0.facts().next().unwrap().sources;
    assert_eq!(sources.len(), MAX_SOURCES);
    assert_eq!((sources[0], sources[1]), (pages[0].id, pages[9].id));
    assert_eq!(sources.last(), Some(&pages[39].id));
}

#[test]
fn a_new_value_closes_the_old_one_of_a_single_valued_attribute() {
    let mut story = Story::new(100);
    let (berlin, oslo) = (page(1, false), page(3, false));
    story.tell(berlin, &[says(Home, "", "Berlin")]).tell(oslo, &[says(Home, "", "Oslo")]);
    assert_eq!(
        (story.held(), story.history()),
        (vec!["home=Oslo".to_owned()], vec!["home=Berlin".to_owned()])
    );
    let old = story.0.facts().next().unwrap();
    assert_eq!((old.valid_from, old.valid_to), (berlin.at, Some(oslo.at)));
    // Values of other keys stay.
    story.tell(page(4, false), &[denies(Diet, "meat", "meat"), denies(Diet, "milk", "milk")]);
    assert_eq!(story.held(), ["home=Oslo", "!diet/meat=meat", "!diet/milk=milk"]);
}

#[test]
fn many_values_hold_beside_each_other_until_one_is_denied() {
    let mut story = Story::new(100);
    story.tell(page(1, false), &[says(Family, "sister/anna", "Anna"), says(Like, "tea", "tea")]);
    story.tell(page(2, false), &[says(Family, "sister/eva", "Eva")]);
    assert_eq!(story.held().len(), 3);
    story.tell(page(3, false), &[denies(Like, "tea", "tea")]);
    assert_eq!(story.held(), ["family/sister/anna=Anna", "family/sister/eva=Eva", "!like/tea=tea"]);
    story.tell(page(4, false), &[says(Like, "tea", "tea")]);
    assert!(story.held().contains(&"like/tea=tea".to_owned()));
    assert_eq!(story.history(), ["like/tea=tea", "!like/tea=tea"]);
}

#[test]
fn who_hates_something_does_not_like_it_any_more() {
    let mut story = Story::new(100);
    story.tell(page(1, false), &[says(Like, "olive", "olives"), says(Like, "fig", "figs")]);
    story.tell(page(2, false), &[says(Dislike, "olive", "olives")]);
    assert_eq!(story.held(), ["like/fig=figs", "dislike/olive=olives"]);
}

#[test]
fn what_has_ended_is_history() {
    let mut story = Story::new(100);
    story.tell(page(1, false), &[says(Employer, "", "Acme")]);
    story.tell(page(2, false), &[ends(Employer, "", "Umbrella")]);
    assert_eq!(story.held(), ["employer=Acme"], "another one ended");
    story.tell(page(3, false), &[ends(Employer, "", "acme")]);
    assert_eq!(story.held(), Vec::<String>::new());
    assert_eq!(story.history(), ["employer=Acme", "employer=Umbrella"]);
}

#[test]
fn a_denied_single_value_says_nothing_of_the_true_one() {
    let mut story = Story::new(100);
    story.tell(page(1, false), &[says(Home, "", "Oslo")]);
    story.tell(page(2, false), &[denies(Home, "", "Berlin")]);
    assert_eq!(story.held(), ["home=Oslo"]);
    story.tell(page(3, false), &[denies(Home, "", "Oslo")]);
    assert_eq!(story.held(), Vec::<String>::new());
}

#[test]
fn a_page_that_comes_late_closes_nothing_said_after_it() {
    let mut story = Story::new(100);
    story.tell(page(9, true), &[says(Home, "", "Oslo")]);
    story.tell(page(2, true), &[says(Home, "", "Berlin")]);
    story.tell(page(4, true), &[ends(Home, "", "Oslo"), says(Like, "tea", "tea")]);
    assert_eq!(story.held(), ["home=Oslo", "like/tea=tea"]);
    let berlin = story.0.facts().find(|fact| fact.value == "Berlin").unwrap();
    assert_eq!(berlin.valid_to, Some(page(9, true).at));
    // Without a time of its own a page is the newest, whatever the clock says.
    story.tell(page(1, false), &[says(Home, "", "Rome")]);
    assert_eq!(story.held(), ["like/tea=tea", "home=Rome"]);
    story.tell(page(1, true), &[says(Like, "tea", "tea")]);
    let tea = story.0.facts().find(|fact| fact.value == "tea").unwrap();
    assert_eq!((tea.said_at, tea.sources.len()), (page(1, true).at, 2));
}

#[test]
fn the_last_five_of_a_key_are_kept_as_history() {
    let mut story = Story::new(100);
    for (day, city) in (1..).zip(["A", "B", "C", "D", "E", "F", "G", "H"]) {
        story.tell(page(day, false), &[says(Home, "", city)]);
    }
    assert_eq!(story.held(), ["home=H"]);
    assert_eq!(story.history(), ["home=C", "home=D", "home=E", "home=F", "home=G"]);
}

#[test]
fn a_page_of_more_than_is_kept_says_nothing_new_when_it_is_read_again() {
    let mut story = Story::new(100);
    let homes: Vec<_> = (0..8).map(|n| says(Home, "", &format!("Town {n}"))).collect();
    let on = page(1, false);
    story.tell(on, &homes);
    let before: Vec<Fact> = story.0.facts().cloned().collect();
    story.tell(SaidOn { may_be_late: true, ..on }, &homes);
    assert_eq!(story.0.facts().cloned().collect::<Vec<_>>(), before);
    // Another page is heard.
    story.tell(page(2, false), &[says(Home, "", "Rome")]);
    assert_eq!(story.held(), ["home=Rome"]);
}

#[test]
fn an_event_is_the_same_only_at_the_same_time() {
    let mut story = Story::new(100);
    let bought = |when: Option<(&str, &str, &str)>| Statement {
        when: when.map(|(words, _, _)| words.to_owned()),
        valid_from: when.map(|(_, from, _)| at(from)),
        valid_to: when.map(|(_, _, to)| at(to)),
        ..says(Purchase, "bike", "a bike")
    };
    let yesterday = bought(Some(("yesterday", "2026-05-01", "2026-05-02")));
    let this_week = bought(Some(("this week", "2026-04-27", "2026-05-04")));
    let later = bought(Some(("yesterday", "2026-05-20", "2026-05-21")));
    story.tell(page(2, false), std::slice::from_ref(&yesterday));
    story.tell(page(3, false), &[this_week]);
    assert_eq!(story.held().len(), 1);
    story.tell(page(21, false), &[later]);
    assert_eq!(story.held().len(), 2);
    let mut story = Story::new(100);
    story.tell(page(1, false), &[bought(None)]).tell(page(5, false), &[bought(None)]);
    assert_eq!(story.held().len(), 1);
    story.tell(page(20, false), &[bought(None)]);
    assert_eq!(story.held().len(), 2);
}

#[test]
fn a_plan_gives_way_to_the_newer_one() {
    let mut story = Story::new(100);
    story.tell(page(1, false), &[says(Plan, "visit/rom", "visit Rome")]);
    story.tell(page(2, false), &[says(Plan, "visit/rom", "visit Rome in June")]);
    assert_eq!(story.held(), ["plan/visit/rom=visit Rome in June"]);
}

#[test]
fn over_capacity_the_oldest_give_way_but_never_who_the_user_is_and_what_was_asked() {
    let mut story = Story::new(4);
    let asked = Statement { explicit: true, ..says(Like, "asked", "asked") };
    story.tell(page(1, false), &[says(Name, "", "Ada"), asked]);
    for n in 2..9 {
        story.tell(page(n, false), &[says(Like, &format!("n{n}"), &format!("n{n}"))]);
    }
    assert_eq!(story.held(), ["name=Ada", "like/asked=asked", "like/n7=n7", "like/n8=n8"]);
    let over = Statement { valid_to: Some(at("2026-05-20")), ..says(Plan, "x", "x") };
    story.tell(page(9, false), &[over]);
    assert!(story.history().is_empty());
    assert_eq!(story.held().len(), 4);
    assert!(!story.held().contains(&"plan/x=x".to_owned()), "a plan that is over goes first");
    // The assistant's facts have room of their own.
    story.tell(page(10, false), &[says(Attribute::Advice, "jasmin", "jasmine")]);
    assert_eq!(story.held().len(), 5);
}

#[test]
fn numbers_are_never_used_twice() {
    let mut story = Story::new(1);
    story
        .tell(page(1, false), &[says(Like, "a", "a")])
        .tell(page(2, false), &[says(Like, "b", "b")]);
    assert_eq!(story.0.facts().map(|fact| fact.id.0).collect::<Vec<_>>(), [2]);
    let mut again = LongTerm::new(1);
    again.continue_after(FactId(7));
    let mut draft = LongDraft::new(&again);
    draft.learn(vec![says(Like, "c", "c")], page(3, false));
    assert_eq!(draft.finish(at("2026-06-01")).facts[0].id, FactId(8));
}

#[test]
fn what_a_model_points_at_never_takes_the_place_of_what_a_rule_read() {
    let mut story = Story::new(2);
    let model = |day| SaidOn { reader: Reader::Model, ..page(day, true) };
    story.tell(page(1, false), &[says(Name, "", "Ada"), says(Like, "tea", "tea")]);
    story.tell(model(2), &[says(Name, "", "Bob")]);
    story.tell(model(2), &[denies(Like, "tea", "tea"), ends(Like, "tea", "tea")]);
    assert!(story.held().contains(&"name=Ada".to_owned()), "{:?}", story.held());
    assert!(story.held().contains(&"like/tea=tea".to_owned()), "{:?}", story.held());
    // What a model found gives way to a rule, and to another model.
    let mut story = Story::new(2);
    story.tell(model(1), &[says(Name, "", "Bob")]);
    story.tell(model(2), &[says(Name, "", "Rob")]);
    assert_eq!(story.held(), ["name=Rob"]);
    story.tell(page(3, false), &[says(Name, "", "Ada")]);
    assert_eq!(story.held(), ["name=Ada"]);
    story.tell(page(3, false), &[says(Like, "a", "a")]);
    story.tell(model(4), &[says(Attribute::Health, "flu", "flu")]);
    assert_eq!(story.held(), ["name=Ada", "like/a=a"], "over capacity");
}

#[test]
fn what_was_said_first_gives_way_first_whenever_it_is_read() {
    let mut story = Story::new(2);
    story.tell(page(8, true), &[says(Like, "new", "new")]);
    story.tell(page(9, true), &[says(Like, "newer", "newer")]);
    story.tell(page(1, true), &[says(Like, "old", "old")]);
    assert_eq!(story.held(), ["like/new=new", "like/newer=newer"]);
}
