//! Rows written after the tables, as people tell of themselves.

use super::check;

/// What people tell.
const TOLD: &[(&str, &[&str])] = &[
    (
        "My therapist suggested yoga and I signed up for a class on Monday.",
        &["event/sign up class = signed up for a class @2026-05-11..2026-05-12"],
    ),
    (
        "So I finally told my parents about the engagement.",
        &["event/tell parent about engag = told my parents about the engagement"],
    ),
    (
        "We're thinking about getting a second dog.",
        &["plan/get second dog = getting a second dog @..2026-08-11"],
    ),
    ("My 5-year-old son loves trains.", &["family/son/love train = son loves trains"]),
    (
        "I'm raising two teenagers on my own.",
        &["event/rais two teenag own = raising two teenagers on my own"],
    ),
    ("I am a single mom of three.", &["family/singl mom three = single mom of three"]),
    ("I'm a stay-at-home dad.", &["family/stay home dad = stay-at-home dad"]),
    ("I'm originally from Ghana but I live in London now.", &["origin = Ghana", "home = London"]),
    ("I was born and raised in Chicago.", &["origin = Chicago"]),
    (
        "I moved from Chicago to Denver in 2018.",
        &["event/move chicago denver = moved from Chicago to Denver @2018-01-01..2019-01-01"],
    ),
    (
        "My husband and I just bought our first house in Austin.",
        &["purchase/first hous austin = first house in Austin"],
    ),
    ("We've been married for 12 years.", &["partner = married"]),
    ("I met my wife in 2010.", &["event/meet wife = met my wife @2010-01-01..2011-01-01"]),
    (
        "My girlfriend Lena and I are planning a trip to Portugal in August.",
        &[
            "plan/trip portug = trip to Portugal @2026-08-01..2026-09-01",
            "partner = girlfriend Lena",
        ],
    ),
    ("I tore my ACL last month.", &["event/tear acl = tore my ACL @2026-04-01..2026-05-01"]),
    ("I sprained my ankle while hiking.", &["event/sprain ankl = sprained my ankle"]),
    ("I had a baby in March!", &["event/babi = had a baby @2026-03-01..2026-04-01"]),
    ("My sister had a baby in March.", &["family/sister/babi = sister had a baby @2026-03-01.."]),
    (
        "I got my first tattoo last week.",
        &["purchase/first tattoo = first tattoo @2026-05-04..2026-05-11"],
    ),
    (
        "I started therapy in January.",
        &["event/start therapi = started therapy @2026-01-01..2026-02-01"],
    ),
    (
        "I'm taking a pottery class on Tuesdays.",
        &["hobby/take potteri class tuesday = taking a pottery class on Tuesdays"],
    ),
    ("I'm taking German lessons.", &["hobby/take german lesson = taking German lessons"]),
    (
        "I am reading a book about the Silk Road.",
        &["event/read book about silk road = reading a book about the Silk Road"],
    ),
    ("I finished reading Dune.", &["event/finish read dune = finished reading Dune"]),
    ("My favorite movie of all time is Alien.", &["like/favorite/movi all time = Alien"]),
    ("My all-time favorite game is Zelda.", &["like/favorite/game = Zelda"]),
    ("Zelda is my all-time favorite game.", &["like/favorite/game = Zelda"]),
    (
        "I love spending time with my grandkids.",
        &["like/spend time grandkid = spending time with my grandkids"],
    ),
    (
        "I enjoy running, cycling and swimming.",
        &["like/run cycl swim = running, cycling and swimming"],
    ),
    ("I'm not into sports.", &["like/sport = sports not"]),
    ("I don't enjoy cooking.", &["like/cook = cooking not"]),
    ("I don't really like spicy food.", &["like/spici food = spicy food not"]),
    ("I can't stand the heat.", &["dislike/heat = heat"]),
    ("I prefer window seats when I fly.", &["like/window seat = window seats"]),
    ("My car is a 2015 Honda Fit.", &["possession/2015 honda fit = 2015 Honda Fit"]),
    ("We own a cabin near the lake.", &["possession/cabin near lake = cabin near the lake"]),
    (
        "I inherited my grandfather's watch.",
        &["event/inherit grandfath watch = inherited my grandfather's watch"],
    ),
    (
        "I won second place in a bake-off last weekend.",
        &[
            "event/win second place bake off = won second place in a bake-off @2026-05-09..2026-05-11",
        ],
    ),
    (
        "I scored two goals on Saturday.",
        &["event/score two goal = scored two goals @2026-05-09..2026-05-10"],
    ),
    ("I ran 10 miles this morning.", &["event/run 10 mile = ran 10 miles @2026-05-13..2026-05-14"]),
    ("I'm hoping to retire by 60.", &["goal/retir 60 = retire by 60"]),
    (
        "I have a dentist appointment at 3 pm on 20 May.",
        &["plan/dentist appoint 3 pm = dentist appointment at 3 pm @2026-05-20..2026-05-21"],
    ),
    ("My exam is on Thursday.", &["plan/exam = exam @2026-05-14..2026-05-15"]),
    ("My sister is visiting next week.", &["family/sister/visit = sister is visiting"]),
    (
        "My parents are coming to visit this weekend.",
        &["family/parent/come visit = parents are coming to visit"],
    ),
    (
        "My friend Lou is getting married in Rome.",
        &["friend/friend/lou/get marri rome = friend Lou is getting married in Rome"],
    ),
    (
        "My coworker Dana quit yesterday.",
        &["friend/cowork/dana/quit = coworker Dana quit @2026-05-12.."],
    ),
    (
        "I'm allergic to cats, which is sad because I love them.",
        &["health/allerg cat = allergic to cats"],
    ),
    ("I lost my dad two years ago.", &["event/lose dad = lost my dad @2024-01-01..2025-01-01"]),
    (
        "I lost my grandmother last spring.",
        &["event/lose grandmoth = lost my grandmother @2025-03-01..2025-06-01"],
    ),
    (
        "I joined a book club and we read a novel each month.",
        &[
            "event/join book club = joined a book club",
            "hobby/read novel each month = read a novel each month",
        ],
    ),
    ("I host a weekly game night.", &["hobby/host week game night = host a weekly game night"]),
    (
        "I founded a nonprofit called Bright Path.",
        &["event/found nonprofit call bright path = founded a nonprofit called Bright Path"],
    ),
    (
        "I launched my website yesterday.",
        &["event/launch websit = launched my website @2026-05-12..2026-05-13"],
    ),
    (
        "I released my first album in 2022.",
        &["event/releas first album = released my first album @2022-01-01..2023-01-01"],
    ),
    (
        "I was accepted into the nursing program.",
        &["event/accept nurs program = accepted into the nursing program"],
    ),
    (
        "I was diagnosed with type 1 diabetes when I was nine.",
        &["health/type 1 diabet = type 1 diabetes"],
    ),
    ("I've never been to Asia.", &["trip/asia = Asia not"]),
    ("I went vegan last year.", &["event/go vegan = went vegan @2025-01-01..2026-01-01"]),
    (
        "I went back to school in 2020.",
        &["event/go back school = went back to school @2020-01-01..2021-01-01"],
    ),
    (
        "I transferred to UCLA last fall.",
        &["event/transfer ucla = transferred to UCLA @2025-09-01..2025-12-01"],
    ),
    ("I'm majoring in biology at UCLA.", &["study/biolog ucla = biology at UCLA"]),
    ("I minored in music.", &["study/music = music"]),
    (
        "I teach third grade in Tulsa.",
        &["hobby/teach third grade tulsa = teach third grade in Tulsa"],
    ),
    (
        "I volunteer with Habitat for Humanity.",
        &["hobby/volunt habitat human = volunteer with Habitat for Humanity"],
    ),
    (
        "I'm writing my thesis on coral reefs.",
        &["event/write thesi coral reef = writing my thesis on coral reefs"],
    ),
    (
        "I sold my first painting last month.",
        &["event/sell first paint = sold my first painting @2026-04-01..2026-05-01"],
    ),
    ("I painted my bedroom blue.", &["event/paint bedroom blue = painted my bedroom blue"]),
    (
        "I baked sourdough with my roommate on Sunday.",
        &[
            "event/bake sourdough roommat = baked sourdough with my roommate @2026-05-10..2026-05-11",
        ],
    ),
    ("I made a quilt for my niece.", &["event/make quilt niec = made a quilt for my niece"]),
];

/// What was read wrongly once.
const CORRECTED: &[(&str, &[&str])] = &[
    (
        "I just got a new console and the graphics are amazing.",
        &["purchase/new consol = new console"],
    ),
    ("We drove through the Alps and the views were great.", &["trip/alp = Alps"]),
    ("I bought a great bike.", &["purchase/great bike = great bike"]),
    (
        "I bought a used canoe yesterday.",
        &["purchase/use cano = used canoe @2026-05-12..2026-05-13"],
    ),
    ("My phone and my camera are special to me.", &[]),
    ("Poetry and dance are important to me.", &["like/poetri danc = Poetry and dance"]),
    ("We usually hit the gym.", &[]),
    ("I did one good thing today.", &[]),
    ("I faced all kinds of problems.", &[]),
    ("I've got the right attitude for this.", &[]),
    ("My twins are getting bored of school.", &[]),
    ("I went to Rome with my SO in May.", &["trip/rome = Rome @2026-05-01..2026-06-01"]),
    (
        "I made a sign to remind myself and others.",
        &["event/make sign remind myself other = made a sign to remind myself and others"],
    ),
    ("I tried to keep quiet.", &[]),
    ("I've been busy with chores.", &[]),
    ("I've been busy mending the fence.", &[]),
    (
        "We visited my friends Tom and Eva.",
        &["event/visit friend tom eva = visited my friends Tom and Eva"],
    ),
    ("I'm looking forward to more great experiences.", &[]),
    ("I got back from work.", &[]),
    ("I began sorting everything.", &[]),
    ("My furry friend Rosie sleeps a lot.", &["pet/friend/rosie = friend Rosie"]),
    ("I love making her happy.", &[]),
    ("Stuff like this is important to me.", &[]),
    ("I heard they sell great bread there.", &[]),
    ("My name is\"Ada and I ji", &["name = Ada"]),
    ("My name is \"Ada\".", &["name = Ada"]),
    ("My name is \"it\".", &[]),
    // The day after it cannot be told.
    ("I'm moving to Bergen on 9999-12-31.", &["plan/move bergen = moving to Bergen @9999-12-31.."]),
    (
        "I'm moving to Bergen nexty name isy name isy name isy name is Fr",
        &[concat!(
            "plan/move bergen nexti name isi name isi name isi name = ",
            "moving to Bergen nexty name isy name isy name isy name is @..2026-08-11"
        )],
    ),
];

#[test]
fn what_was_read_wrongly_once_is_read_rightly() {
    check(CORRECTED);
}

#[test]
fn what_people_tell_of_themselves_is_read() {
    check(TOLD);
}
