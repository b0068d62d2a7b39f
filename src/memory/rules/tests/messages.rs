//! Whole messages: several sentences, what surrounds them, other languages, and any text at all.

use std::fmt::Write as _;

use super::{advice, check, said, shown, statements};

/// What the user asked to remember.
const ASKED: &[(&str, &[&str])] = &[
    ("Remember that I'm vegetarian.", &["diet = vegetarian !"]),
    (
        "Please remember that the wifi network is called Foo.",
        &["note/wifi network call foo = wifi network is called Foo !"],
    ),
    (
        "Don't forget that I'm allergic to nuts. My sister is Anna.",
        &["health/allerg nut = allergic to nuts !", "family/sister/anna = sister Anna !"],
    ),
    (
        "Please note that our office moves on Friday.",
        &["note/offic move friday = office moves on Friday !"],
    ),
    ("Remember to buy milk tomorrow.", &["plan/buy milk = buy milk ! @2026-05-14..2026-05-15"]),
    ("Remember my flight is at 9.", &["note/flight 9 = flight is at 9 !"]),
];

/// The sentence around a clause.
const AROUND: &[(&str, &[&str])] = &[
    ("I'm allergic to nuts, so what should I eat?", &["health/allerg nut = allergic to nuts"]),
    ("Yeah, I work at IKEA.", &["employer = IKEA"]),
    ("I love hiking because it clears my head.", &["like/hike = hiking"]),
    (
        "By the way, I have a meeting with Tom on Friday.",
        &["plan/meet tom = meeting with Tom @2026-05-15..2026-05-16"],
    ),
    ("<memory>I live in Rome</memory> I live in Oslo.", &["home = Oslo"]),
];

/// Several statements, and other texts.
const SEVERAL: &[(&str, &[&str])] = &[
    ("My name is Ada. My name is Ada.", &["name = Ada"]),
    (
        "I live in Oslo and I work at Acme and I love skiing.",
        &["home = Oslo", "employer = Acme", "like/ski = skiing"],
    ),
    ("I'm Tom and I have two dogs.", &["name = Tom", "pet/two dog = two dogs"]),
    ("I'm vegan, but my husband eats meat.", &["diet = vegan"]),
    ("Although I work at Acme, I live in Bergen.", &["employer = Acme", "home = Bergen"]),
    ("Hey Mel, I have a sister in Rome.", &["family/sister rome = sister in Rome"]),
    ("So yeah, I'm a teacher now.", &["job = teacher"]),
    (
        "Since I am allergic to cats, what pet do you suggest?",
        &["health/allerg cat = allergic to cats"],
    ),
    ("I'm a nurse, so can you explain this?", &["job = nurse"]),
    ("I prefer short answers.", &["like/short answer = short answers"]),
    ("I have a bike and a boat.", &["possession/bike boat = bike and a boat"]),
    ("I love \"The Wire\".", &["like/wire = \"The Wire\""]),
    ("I like R&B and soul.", &["like/r b soul = R&B and soul"]),
    ("I work at a hospital.", &["employer = hospital"]),
    ("I'm a vegetarian since 2010.", &["diet = vegetarian @2010-01-01.."]),
    ("We have three children.", &["family/three child = three children"]),
    ("My father was a carpenter.", &["family/father/carpent = father was a carpenter"]),
    ("My cousin Ben works at NASA.", &["family/cousin/ben/work nasa = cousin Ben works at NASA"]),
    ("My girlfriend is called Zoe.", &["partner = Zoe"]),
    ("I'm single.", &["partner = single"]),
    ("I'm divorced.", &["partner = divorced"]),
    ("My parents live in Florida.", &["family/parent/live florida = parents live in Florida"]),
    ("My neighbor Bill has a boat.", &["friend/neighbor/bill/boat = neighbor Bill has a boat"]),
    ("My dog loves carrots.", &["pet/dog/love carrot = dog loves carrots"]),
    ("I'm studying law.", &["study/law = law"]),
    ("I study at Harvard.", &["study/harvard = Harvard"]),
    (
        "I'm a PhD student in linguistics.",
        &["study/phd student linguist = PhD student in linguistics"],
    ),
    ("I am from S\u{e3}o Paulo.", &["origin = S\u{e3}o Paulo"]),
    ("My mother tongue is Polish.", &["language/polish = Polish"]),
    ("I dislike crowded places.", &["dislike/crowd place = crowded places"]),
    ("I'm obsessed with sudoku.", &["like/sudoku = sudoku"]),
    ("I have a passion for astronomy.", &["like/astronomi = astronomy"]),
    ("I'm learning to drive.", &["skill/learn drive = learning to drive"]),
    ("I use a MacBook.", &["possession/macbook = MacBook"]),
    ("I'm scared of heights.", &["dislike/height = heights"]),
    ("I don't speak German.", &["language/german = German not"]),
    ("I can speak Italian.", &["language/italian = Italian"]),
];

/// Chinese, and what is none.
const CHINESE: &[(&str, &[&str])] = &[
    ("\u{6211}\u{53eb}\u{674e}\u{660e}\u{3002}", &["name = \u{674e}\u{660e}"]),
    (
        "\u{6211}\u{7684}\u{540d}\u{5b57}\u{662f}\u{738b}\u{82b3}\u{ff0c}\u{6211}\u{4f4f}\u{5728}\u{4e0a}\u{6d77}\u{3002}",
        &["name = \u{738b}\u{82b3}", "home = \u{4e0a}\u{6d77}"],
    ),
    ("\u{6211}\u{6765}\u{81ea}\u{6210}\u{90fd}\u{3002}", &["origin = \u{6210}\u{90fd}"]),
    ("\u{6211}\u{662f}\u{5317}\u{4eac}\u{4eba}\u{3002}", &["origin = \u{5317}\u{4eac}"]),
    (
        "\u{6211}\u{662f}\u{4e00}\u{540d}\u{8f6f}\u{4ef6}\u{5de5}\u{7a0b}\u{5e08}\u{3002}",
        &["job = \u{8f6f}\u{4ef6}\u{5de5}\u{7a0b}\u{5e08}"],
    ),
    ("\u{6211}\u{5728}\u{8c37}\u{6b4c}\u{5de5}\u{4f5c}\u{3002}", &["employer = \u{8c37}\u{6b4c}"]),
    (
        "\u{6211}\u{5bf9}\u{82b1}\u{751f}\u{8fc7}\u{654f}\u{3002}",
        &[
            "health/\u{82b1}\u{751f} \u{751f}\u{8fc7} \u{8fc7}\u{654f} = \u{82b1}\u{751f}\u{8fc7}\u{654f}",
        ],
    ),
    (
        "\u{6211}\u{6709}\u{7cd6}\u{5c3f}\u{75c5}\u{3002}",
        &["health/\u{7cd6}\u{5c3f} \u{5c3f}\u{75c5} = \u{7cd6}\u{5c3f}\u{75c5}"],
    ),
    (
        "\u{6211}\u{559c}\u{6b22}\u{722c}\u{5c71}\u{3002}",
        &["like/\u{722c}\u{5c71} = \u{722c}\u{5c71}"],
    ),
    (
        "\u{6211}\u{4e0d}\u{559c}\u{6b22}\u{5496}\u{5561}\u{3002}",
        &["like/\u{5496}\u{5561} = \u{5496}\u{5561} not"],
    ),
    (
        "\u{6211}\u{4e0d}\u{559c}\u{6b22}\u{5496}\u{5561}\u{4e86}\u{3002}",
        &["like/\u{5496}\u{5561} = \u{5496}\u{5561} end"],
    ),
    (
        "\u{6211}\u{4e0d}\u{518d}\u{559c}\u{6b22}\u{8db3}\u{7403}\u{3002}",
        &["like/\u{8db3}\u{7403} = \u{8db3}\u{7403} end"],
    ),
    (
        "\u{6211}\u{8ba8}\u{538c}\u{4e0b}\u{96e8}\u{5929}\u{3002}",
        &["dislike/\u{4e0b}\u{96e8} \u{96e8}\u{5929} = \u{4e0b}\u{96e8}\u{5929}"],
    ),
    ("\u{6211}\u{4e0d}\u{5403}\u{8089}\u{3002}", &["diet/\u{8089} = \u{8089} not"]),
    ("\u{6211}\u{6709}\u{4e00}\u{53ea}\u{732b}\u{3002}", &["pet/\u{732b} = \u{732b}"]),
    (
        "\u{6211}\u{6709}\u{4e24}\u{4e2a}\u{59b9}\u{59b9}\u{3002}",
        &["family/\u{59b9}\u{59b9} = \u{59b9}\u{59b9}"],
    ),
    (
        "\u{6211}\u{4f1a}\u{8bf4}\u{65e5}\u{8bed}\u{3002}",
        &["language/\u{65e5}\u{8bed} = \u{65e5}\u{8bed}"],
    ),
    (
        "\u{6211}\u{6628}\u{5929}\u{53bb}\u{4e86}\u{5317}\u{4eac}\u{3002}",
        &["trip/\u{5317}\u{4eac} = \u{5317}\u{4eac} @2026-05-12..2026-05-13"],
    ),
    (
        "\u{6211}\u{4e0a}\u{5468}\u{4e70}\u{4e86}\u{4e00}\u{53f0}\u{7535}\u{8111}\u{3002}",
        &["purchase/\u{7535}\u{8111} = \u{7535}\u{8111} @2026-05-04..2026-05-11"],
    ),
    (
        "\u{6211}\u{6253}\u{7b97}\u{660e}\u{5e74}\u{53bb}\u{65e5}\u{672c}\u{3002}",
        &[
            "plan/\u{660e}\u{5e74} \u{5e74}\u{53bb} \u{53bb}\u{65e5} \u{65e5}\u{672c} = \u{660e}\u{5e74}\u{53bb}\u{65e5}\u{672c} @2027-01-01..2028-01-01",
        ],
    ),
    (
        "\u{6211}\u{59b9}\u{59b9}\u{53eb}\u{5c0f}\u{7ea2}\u{3002}",
        &["family/\u{59b9}\u{59b9}/\u{5c0f}\u{7ea2} = \u{59b9}\u{59b9}\u{5c0f}\u{7ea2}"],
    ),
    (
        "\u{8bf7}\u{8bb0}\u{4f4f}\u{6211}\u{5bf9}\u{725b}\u{5976}\u{8fc7}\u{654f}\u{3002}",
        &[
            "health/\u{725b}\u{5976} \u{5976}\u{8fc7} \u{8fc7}\u{654f} = \u{725b}\u{5976}\u{8fc7}\u{654f} !",
        ],
    ),
    (
        "\u{6211}\u{7684}\u{751f}\u{65e5}\u{662f}\u{4e94}\u{6708}\u{4e09}\u{65e5}\u{3002}",
        &["birthday = \u{4e94}\u{6708}\u{4e09}\u{65e5}"],
    ),
    (
        "\u{5982}\u{679c}\u{6211}\u{4f4f}\u{5728}\u{4e0a}\u{6d77}\u{ff0c}\u{6211}\u{4f1a}\u{5f88}\u{9ad8}\u{5174}\u{3002}",
        &[],
    ),
    ("\u{6211}\u{4f4f}\u{5728}\u{54ea}\u{91cc}\u{ff1f}", &[]),
    ("\u{4f60}\u{559c}\u{6b22}\u{732b}\u{5417}\u{ff1f}", &[]),
    ("\u{4ed6}\u{8bf4}\u{6211}\u{4f4f}\u{5728}\u{4e0a}\u{6d77}\u{3002}", &[]),
    ("\u{5047}\u{88c5}\u{6211}\u{662f}\u{533b}\u{751f}\u{3002}", &[]),
    ("\u{7ffb}\u{8bd1}\u{ff1a}\u{6211}\u{559c}\u{6b22}\u{732b}\u{3002}", &[]),
    ("\u{6211}\u{559c}\u{6b22}\u{4f60}\u{3002}", &[]),
    ("\u{6211}\u{559c}\u{6b22}\u{8fd9}\u{4e2a}\u{3002}", &[]),
    ("\u{4eca}\u{5929}\u{5929}\u{6c14}\u{5f88}\u{597d}\u{3002}", &[]),
];

/// What the assistant says, and what it stands by.
const ANSWERS: &[(&str, &[&str])] = &[
    (
        "I recommend the book \"Dune\" for your trip.",
        &["advice/book dune trip = book \"Dune\" for your trip"],
    ),
    (
        "I'd recommend Hotel Astoria near the station.",
        &["advice/hotel astoria near station = Hotel Astoria near the station"],
    ),
    (
        "Sure! I have created a packing list for Norway.",
        &["work/creat pack list norway = created a packing list for Norway"],
    ),
    (
        "I've written a script called backup.sh that saves your files.",
        &["work/write script call backup sh = written a script called backup.sh"],
    ),
    ("I will send a reminder on Friday.", &[]),
    (
        "I suggest a lighter running shoe. I also suggest socks.",
        &["advice/lighter run shoe = lighter running shoe"],
    ),
    ("I drafted the email to Karen.", &["work/draft email karen = drafted the email to Karen"]),
    (
        "I would suggest Lisbon in spring, since it is mild.",
        &["advice/lisbon spring = Lisbon in spring"],
    ),
    (
        "I've updated the budget spreadsheet.",
        &["work/updat budget spreadsheet = updated the budget spreadsheet"],
    ),
    (
        "Great question. I recommend trying the Lisbon food tour.",
        &["advice/tri lisbon food tour = trying the Lisbon food tour"],
    ),
    ("Paris is the capital of France.", &[]),
    ("I recommend consulting a doctor.", &[]),
    ("I can help you with that.", &[]),
    ("I will do my best.", &[]),
    ("I'm sorry to hear that.", &[]),
    ("Would you like me to create a list?", &[]),
    ("If you want, I will create a list.", &[]),
    ("I suggest you ask her.", &[]),
    ("I recommend it.", &[]),
    ("You should try yoga.", &[]),
    ("I have made a mistake.", &[]),
    ("I created this for you.", &[]),
    ("Many people recommend green tea.", &[]),
    ("I don't recommend the blue one.", &[]),
    ("I will explain it.", &[]),
    ("Your api key is sk-proj-abcdEFGH1234567890abcd and I created a config file.", &[]),
];

#[test]
fn what_is_asked_to_be_remembered_is_marked() {
    check(ASKED);
}

#[test]
fn a_clause_is_read_whatever_stands_around_it() {
    check(AROUND);
    check(SEVERAL);
}

#[test]
fn chinese_clauses_are_read() {
    check(CHINESE);
}

#[test]
fn an_answer_stands_by_at_most_one_thing() {
    for (text, expected) in ANSWERS {
        let found: Vec<String> = advice(text, said()).iter().map(shown).collect();
        assert_eq!(found, *expected, "{text:?}");
    }
}

#[test]
fn a_statement_is_made_once_and_shows_the_words_of_its_clause() {
    let found = statements("Hey! I'm from Bergen, but last year I moved to Oslo.", said());
    let clauses: Vec<&str> = found.iter().map(|s| s.clause.as_str()).collect();
    assert_eq!(clauses, ["I'm from Bergen", "last year I moved to Oslo"]);
    assert_eq!(found[1].when.as_deref(), Some("last year"));
    assert_eq!(statements("I like jazz. I like jazz. I like Jazz!", said()).len(), 2);
}

#[test]
fn a_long_clause_is_cut_between_words() {
    let text = format!("I live in Oslo {}", "near the old harbour ".repeat(40));
    let found = statements(&text, said());
    assert_eq!(found.len(), 1);
    assert!(text.starts_with(&found[0].clause) && found[0].clause.chars().count() <= 300);
}

#[test]
fn any_text_is_read_without_a_panic() {
    let pieces = [
        "I",
        " ",
        "am",
        "'",
        "\u{2019}",
        "a",
        "nurse",
        "\u{0}",
        "e\u{301}",
        "\"",
        "\u{201c}",
        ",",
        "and",
        "\n",
        "?",
        "\u{1f600}",
        "I'm",
        "not",
        "<b>",
        "```",
        "(image",
        "[",
        "last",
        "week",
        "\u{6211}",
        "\u{53eb}",
        "1",
        "-",
        "in",
        "my sister",
        "'s",
        "since",
    ];
    let n = pieces.len();
    for i in 0..n.pow(3) {
        let picked = [i % n, i / n % n, i / n / n];
        let text: String = picked.iter().map(|&k| pieces[k]).collect();
        let spaced = picked.iter().fold(String::new(), |mut all, &k| {
            let _ = write!(all, "{} ", pieces[k]);
            all
        });
        for text in [text, spaced] {
            let found = statements(&text, said());
            assert!(found.iter().all(|s| text.contains(&s.clause)), "{text:?}");
            drop(advice(&text, said()));
        }
    }
}

#[test]
fn the_longest_text_of_any_one_thing_is_read() {
    let units = [
        "x",
        "I live in ",
        "my sister ",
        "<a ",
        "\"",
        "(image ",
        "and I ",
        "a, ",
        "\u{6211}\u{53eb}",
        "memory:\n",
        "1.",
        "since ",
    ];
    for unit in units {
        let text = unit.repeat(64 * 1024 / unit.len());
        drop(statements(&text, said()));
        drop(advice(&text, said()));
    }
}
