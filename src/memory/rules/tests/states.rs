//! What holds: who the user is, where, with whom, and what the user likes, can and has.

use super::check;

/// Names, homes, origins and languages.
const WHO_AND_WHERE: &[(&str, &[&str])] = &[
    (
        "My name is Ada and I am allergic to nuts.",
        &["name = Ada", "health/allerg nut = allergic to nuts"],
    ),
    ("I'm Ada.", &["name = Ada"]),
    ("hi! im Ada", &["name = Ada"]),
    ("Hi, I'm Ada Lovelace, nice to meet you.", &["name = Ada Lovelace"]),
    ("My full name is Maria del Carmen.", &["name = Maria del Carmen"]),
    ("My name is not Ada but Eda.", &["name = Ada end", "name = Eda"]),
    ("I'm called Bo.", &["name = Bo"]),
    ("My nickname is Bear.", &["name = Bear"]),
    ("My pronouns are they/them.", &["pronouns = they/them"]),
    ("My birthday is March 3rd.", &["birthday = March 3rd"]),
    ("I was born on May 5th 1990.", &["birthday = May 5th 1990"]),
    ("I was born in Madrid.", &["origin = Madrid"]),
    ("I live in Oslo but I'm from Bergen.", &["home = Oslo", "origin = Bergen"]),
    ("I\u{2019}ve lived in New York City for ten years.", &["home = New York City"]),
    ("Actually, I live in Bergen, not Oslo.", &["home = Bergen", "home = Oslo end"]),
    ("I don't live in Oslo but in Bergen.", &["home = Oslo end", "home = Bergen"]),
    ("I no longer live in Paris.", &["home = Paris end"]),
    ("I used to live in Chicago.", &["home = Chicago end"]),
    ("I moved to Lisbon last month.", &["home = Lisbon @2026-04-01.."]),
    ("We live in a small village near the coast.", &["home = small village near the coast"]),
    ("I'm based in Singapore.", &["home = Singapore"]),
    ("I grew up in a small town in Ohio.", &["origin = small town in Ohio"]),
    ("I come from Brazil.", &["origin = Brazil"]),
    ("I'm German.", &["origin = German"]),
    ("I'm originally from Kenya.", &["origin = Kenya"]),
    ("My hometown is Leeds.", &["origin = Leeds"]),
    ("I speak Spanish and French.", &["language/spanish french = Spanish and French"]),
    ("I'm fluent in Portuguese.", &["language/portugues = Portuguese"]),
    ("My native language is Hungarian.", &["language/hungarian = Hungarian"]),
    ("I'm learning Japanese.", &["language/japanes = Japanese"]),
];

/// Occupations, employers and studies.
const WORK_AND_STUDY: &[(&str, &[&str])] = &[
    ("I'm a nurse.", &["job = nurse"]),
    ("I'm a software engineer at Acme Corp.", &["job = software engineer", "employer = Acme Corp"]),
    ("I am a high school teacher in Denver.", &["job = high school teacher in Denver"]),
    ("I work at Google.", &["employer = Google"]),
    ("I work for a small law firm.", &["employer = small law firm"]),
    ("I work as a freelance photographer.", &["job = freelance photographer"]),
    ("I no longer work at Acme.", &["employer = Acme end"]),
    ("I used to work for Siemens.", &["employer = Siemens end"]),
    ("I'm not a lawyer.", &["job = lawyer not"]),
    ("I've been working as a pilot since 2019.", &["job = pilot @2019-01-01.."]),
    ("I work in finance.", &["job = finance"]),
    ("My job is software developer.", &["job = software developer"]),
    ("I study physics at MIT.", &["study/physic mit = physics at MIT"]),
    ("I'm a student at Oxford.", &["study/student oxford = student at Oxford"]),
    ("I'm majoring in economics.", &["study/econom = economics"]),
    ("I have a degree in biology.", &["study/biolog = biology"]),
    ("I have a master's degree in computer science.", &["study/comput scienc = computer science"]),
];

/// Relatives, partners and friends.
const PEOPLE: &[(&str, &[&str])] = &[
    (
        "My sister Anna lives in Oslo.",
        &["family/sister/anna/life oslo = sister Anna lives in Oslo"],
    ),
    ("My sister is a doctor.", &["family/sister/doctor = sister is a doctor"]),
    ("My brother Tom is 12.", &["family/brother/tom/12 = brother Tom is 12"]),
    ("My wife's name is Greta.", &["partner = wife Greta"]),
    ("My husband is called Paul.", &["partner = Paul"]),
    ("I'm married to Tom.", &["partner = married to Tom"]),
    ("We're engaged.", &["partner = engaged"]),
    ("I have two kids.", &["family/two kid = two kids"]),
    ("I have a twin brother.", &["family/twin brother = twin brother"]),
    (
        "My daughter just started kindergarten.",
        &["family/daughter/start kindergarten = daughter just started kindergarten"],
    ),
    ("My mom, Elena, is from Peru.", &["family/mom/elena/peru = mom, Elena, is from Peru"]),
    (
        "I went hiking with my friend Tom on Saturday.",
        &[
            "event/go hike friend tom = went hiking with my friend Tom @2026-05-09..2026-05-10",
            "friend/friend/tom = friend Tom",
        ],
    ),
    ("My boss is Karen.", &["friend/boss/karen = boss Karen"]),
    (
        "My best friend Sofia moved to Canada last year.",
        &["friend/friend/sofia/move canada = friend Sofia moved to Canada @2025-01-01.."],
    ),
    ("My grandmother died last week.", &["family/grandmoth/die = grandmother died @2026-05-04.."]),
    (
        "My partner and I adopted a puppy yesterday.",
        &["event/adopt puppi = adopted a puppy @2026-05-12..2026-05-13"],
    ),
    ("My son is allergic to peanuts.", &["family/son/allerg peanut = son is allergic to peanuts"]),
    ("I'm a mother of three.", &["family/mother three = mother of three"]),
];

/// Animals.
const ANIMALS: &[(&str, &[&str])] = &[
    ("I have two cats, Tom and Jerry.", &["pet/two cat tom jerri = two cats, Tom and Jerry"]),
    ("My dog is called Rex.", &["pet/dog/rex = dog Rex"]),
    ("My dog's name is Bella.", &["pet/dog/bella = dog Bella"]),
    ("We have a golden retriever.", &["pet/golden retriev = golden retriever"]),
    ("I don't have any pets.", &["pet/pet = pets not"]),
    ("Pip, my hamster, is six.", &["pet/hamster/pip = hamster Pip"]),
    (
        "We adopted a kitten last Sunday.",
        &["event/adopt kitten = adopted a kitten @2026-05-10..2026-05-11"],
    ),
    ("My cat Luna died on Monday.", &["pet/cat/luna/die = cat Luna died @2026-05-11.."]),
];

/// Illnesses and diets.
const HEALTH_AND_DIET: &[(&str, &[&str])] = &[
    ("I am allergic to penicillin.", &["health/allerg penicillin = allergic to penicillin"]),
    ("I'm diabetic.", &["health/diabet = diabetic"]),
    ("I have asthma.", &["health/asthma = asthma"]),
    ("I've had migraines since 2015.", &["health/migrain = migraines @2015-01-01.."]),
    ("I was diagnosed with ADHD in 2019.", &["health/adhd = ADHD @2019-01-01.."]),
    ("I have a peanut allergy.", &["health/peanut allergi = peanut allergy"]),
    ("I have type 2 diabetes.", &["health/type 2 diabet = type 2 diabetes"]),
    ("I don't eat meat.", &["diet/meat = meat not"]),
    ("I never drink alcohol.", &["diet/alcohol = alcohol not"]),
    ("I no longer eat dairy.", &["diet/dairi = dairy not"]),
    ("I'm vegan.", &["diet = vegan"]),
    ("I'm a vegetarian.", &["diet = vegetarian"]),
    ("I'm not vegetarian any more.", &["diet = vegetarian end"]),
    ("I used to smoke.", &["health/smoke = smoke end"]),
    ("I'm lactose intolerant.", &["health/lactos intoler = lactose intolerant"]),
    ("I broke my leg last Friday.", &["event/break leg = broke my leg @2026-05-08..2026-05-09"]),
];

/// Likes and dislikes.
const LIKES: &[(&str, &[&str])] = &[
    ("I love hiking in the mountains.", &["like/hike mountain = hiking in the mountains"]),
    ("I like jazz.", &["like/jazz = jazz"]),
    ("I don't like olives.", &["like/oliv = olives not"]),
    ("I don't like olives any more.", &["like/oliv = olives end"]),
    ("I no longer like sushi.", &["like/sushi = sushi end"]),
    ("I used to love country music.", &["like/countri music = country music end"]),
    ("I hate cilantro.", &["dislike/cilantro = cilantro"]),
    ("I can't stand loud music.", &["dislike/loud music = loud music"]),
    ("I prefer tea over coffee.", &["like/tea over coffe = tea over coffee"]),
    ("I enjoy baking bread.", &["like/bake bread = baking bread"]),
    ("I'm into photography.", &["like/photographi = photography"]),
    ("I'm passionate about climate policy.", &["like/climat polici = climate policy"]),
    ("I'm really interested in Roman history.", &["like/roman histori = Roman history"]),
    ("I'm a huge fan of Arsenal.", &["like/arsenal = Arsenal"]),
    ("I'm not a fan of horror movies.", &["like/horror movi = horror movies not"]),
    ("I'm afraid of spiders.", &["dislike/spider = spiders"]),
    ("My favorite color is blue.", &["like/favorite/color = blue"]),
    ("My favourite band is Radiohead.", &["like/favorite/band = Radiohead"]),
    ("\"Dune\" is my favorite book.", &["like/favorite/book = \"Dune\""]),
    ("I like apples, pears and plums.", &["like/appl pear plum = apples, pears and plums"]),
    ("I love to cook Italian food.", &["like/cook italian food = cook Italian food"]),
    ("i love my garden", &["like/garden = garden"]),
];

/// Skills, pastimes and things owned.
const SKILLS_AND_THINGS: &[(&str, &[&str])] = &[
    ("I play the piano.", &["skill/piano = piano"]),
    ("I can play the guitar and the drums.", &["skill/guitar drum = guitar and the drums"]),
    ("I play tennis every Sunday.", &["hobby/play tenni everi sunday = play tennis every Sunday"]),
    ("I used to play chess.", &["hobby/play chess = play chess end"]),
    ("I can swim.", &["skill/swim = swim"]),
    ("I'm good at drawing.", &["skill/draw = drawing"]),
    ("I'm learning how to knit sweaters.", &["skill/knit sweater = knit sweaters"]),
    ("I collect stamps.", &["hobby/stamp = stamps"]),
    (
        "I volunteer at an animal shelter.",
        &["hobby/volunt anim shelter = volunteer at an animal shelter"],
    ),
    ("I go climbing twice a week.", &["hobby/go climb twice week = go climbing twice a week"]),
    ("I've been learning the violin for two years.", &["skill/learn violin = learning the violin"]),
    ("I'm a member of a choir.", &["hobby/member choir = a member of a choir"]),
    ("I own a Tesla.", &["possession/tesla = Tesla"]),
    ("I have a car.", &["possession/car = car"]),
    ("I don't have a car.", &["possession/car = car not"]),
    ("I drive a Honda Civic.", &["possession/drive honda civic = drive a Honda Civic"]),
    ("I've got a 3D printer.", &["possession/3d printer = 3D printer"]),
];

/// Of all kinds, written later than the tables.
const MORE: &[(&str, &[&str])] = &[
    (
        "I recently moved to Seattle for my job at Amazon, and I'm loving the food scene.",
        &["home = Seattle", "like/food scene = food scene"],
    ),
    (
        "My daughter Lily turned five yesterday and we threw a party.",
        &["family/daughter/lily/turn five = daughter Lily turned five @2026-05-12.."],
    ),
    ("I've been vegan for three years.", &["diet = vegan"]),
    ("I can't eat gluten.", &["diet/gluten = gluten not"]),
    (
        "My boyfriend proposed last night!",
        &["family/boyfriend/propos = boyfriend proposed @2026-05-12.."],
    ),
    (
        "We're expecting our first child in July.",
        &["family/expect our first child = expecting our first child"],
    ),
    ("My dad passed away in 2019.", &["family/dad/pass away = dad passed away @2019-01-01.."]),
    ("My mom has diabetes.", &["family/mom/diabet = mom has diabetes"]),
    (
        "My brother is getting married in September.",
        &["family/brother/get marri = brother is getting married"],
    ),
    ("My son plays soccer.", &["family/son/play soccer = son plays soccer"]),
    ("My kids love dinosaurs.", &["family/kid/love dinosaur = kids love dinosaurs"]),
    ("My favorite foods are ramen and tacos.", &["like/favorite/food = ramen and tacos"]),
    ("My favourite season is autumn because of the leaves.", &["like/favorite/season = autumn"]),
    ("I like my coffee black.", &["like/coffe black = coffee black"]),
    ("I like working from home.", &["like/work home = working from home"]),
    ("I dislike long meetings.", &["dislike/long meet = long meetings"]),
    (
        "I volunteer at the food bank on Saturdays.",
        &["hobby/volunt food bank saturday = volunteer at the food bank on Saturdays"],
    ),
    (
        "I play the cello in an orchestra.",
        &["hobby/play cello orchestra = play the cello in an orchestra"],
    ),
    ("I used to be a teacher.", &["job = teacher end"]),
    ("I was a teacher for ten years.", &["job = teacher end"]),
    ("I used to have a cat.", &["pet/cat = cat end"]),
    ("I just got a puppy named Biscuit.", &["pet/puppi name biscuit = puppy named Biscuit"]),
    ("I named my dog Biscuit.", &["pet/dog/biscuit = dog Biscuit"]),
    ("Our cat is called Milo.", &["pet/cat/milo = cat Milo"]),
    (
        "My grandfather was born in Naples.",
        &["family/grandfath/born napl = grandfather was born in Naples"],
    ),
    ("I'm a vegetarian but I eat fish.", &["diet = vegetarian"]),
    ("I don't have kids.", &["family/kid = kids not"]),
    ("I have no siblings.", &["family/sibl = siblings not"]),
    ("I grew up on a farm.", &["origin = farm"]),
    ("I was raised in Texas.", &["origin = Texas"]),
    ("I speak a little German.", &["language/german = German"]),
    ("I'm learning sign language.", &["skill/learn sign languag = learning sign language"]),
    ("I'm a Python developer.", &["job = Python developer"]),
    ("I'm the CEO of a small company.", &["job = CEO of a small company"]),
    ("I'm retired.", &["job = retired"]),
    ("I'm unemployed.", &["job = unemployed"]),
    ("I'm self-employed.", &["job = self-employed"]),
    ("I work nights at a hospital.", &["employer = hospital"]),
    (
        "I run a podcast about history.",
        &["hobby/run podcast about histori = run a podcast about history"],
    ),
    ("I own two horses.", &["possession/two hors = two horses"]),
    ("I drive an old truck.", &["possession/drive old truck = drive an old truck"]),
    (
        "Two days ago my daughter lost her first tooth.",
        &["family/daughter/lose first tooth = daughter lost her first tooth @2026-05-11.."],
    ),
    ("I have a tattoo of a dragon.", &["possession/tattoo dragon = tattoo of a dragon"]),
    (
        "I have a collection of vinyl records.",
        &["possession/collect vinyl record = collection of vinyl records"],
    ),
    ("I've collected coins since I was a kid.", &["hobby/coin = coins"]),
    (
        "I'm really into true crime podcasts lately.",
        &["like/true crime podcast = true crime podcasts"],
    ),
    ("I can't drink milk.", &["diet/milk = milk not"]),
    ("I suffer from insomnia.", &["health/insomnia = insomnia"]),
    ("I've been diagnosed with celiac disease.", &["health/celiac diseas = celiac disease"]),
    ("I prefer tabs over spaces.", &["like/tab over space = tabs over spaces"]),
    ("My laptop is a ThinkPad X1.", &["possession/thinkpad x1 = ThinkPad X1"]),
    ("My manager is called Priya.", &["friend/manag/priya = manager Priya"]),
    ("My wife and I have two sons.", &["family/two son = two sons"]),
    ("I hate Mondays.", &["dislike/monday = Mondays"]),
    ("I teach yoga on Tuesdays.", &["hobby/teach yoga tuesday = teach yoga on Tuesdays"]),
    ("I run a small bakery.", &["hobby/run small bakeri = run a small bakery"]),
    ("I run every morning.", &["hobby/run everi morn = run every morning"]),
    ("I was born in 1990.", &["birthday = 1990"]),
    ("I've been married for ten years.", &["partner = married"]),
    ("I have never smoked.", &["health/smoke = smoked not"]),
    ("I don't smoke.", &["health/smoke = smoke not"]),
    ("I never eat breakfast.", &["diet/breakfast = breakfast not"]),
    ("I'm on a keto diet.", &["diet = keto diet"]),
];

#[test]
fn who_the_user_is_and_where_is_read() {
    check(WHO_AND_WHERE);
}

#[test]
fn what_the_user_does_for_a_living_is_read() {
    check(WORK_AND_STUDY);
}

#[test]
fn whom_the_user_speaks_of_is_read() {
    check(PEOPLE);
}

#[test]
fn which_animals_the_user_keeps_is_read() {
    check(ANIMALS);
}

#[test]
fn what_the_body_is_like_and_gets_is_read() {
    check(HEALTH_AND_DIET);
}

#[test]
fn what_the_user_likes_and_does_not_is_read() {
    check(LIKES);
}

#[test]
fn what_the_user_can_and_has_is_read() {
    check(SKILLS_AND_THINGS);
}

#[test]
fn what_else_holds_is_read() {
    check(MORE);
}
