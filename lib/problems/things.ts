/** What questions of other kinds are about. */

const words = (text: string): string[] => text.trim().split(/\s+/)
const names = (text: string): string[] => text.split(',').map((name) => name.trim())

export const THINGS = words(`
cat dog horse bird fish mouse cow sheep tiger elephant monkey snake spider bee ant butterfly frog whale shark owl eagle
moon sun star planet ocean river lake mountain hill forest tree flower leaf grass desert island beach cloud storm wind snow ice fire
house castle bridge tower road street city village school church hospital library museum market shop hotel garden farm park kitchen
table chair bed lamp door window wall roof floor mirror clock carpet sofa shelf candle pillow blanket curtain
car train bus bicycle boat ship plane rocket truck taxi wheel engine ticket map
book letter newspaper magazine picture photo camera movie song guitar piano violin drum radio television
phone computer laptop keyboard screen printer robot battery cable website email password game puzzle toy ball kite doll
bread cheese butter milk egg rice pasta soup salad pizza sandwich cake cookie chocolate sugar salt pepper honey
apple banana orange lemon cherry grape melon tomato potato onion carrot garlic bean coffee tea juice wine beer water
shirt coat shoe hat glove sock dress belt scarf ring necklace watch umbrella bag wallet key knife spoon fork plate cup glass bottle
doctor teacher farmer baker driver painter singer soldier king queen friend brother sister mother father child baby neighbor
hammer nail saw rope box basket bucket ladder brush paint paper pencil pen coin stamp gift flag
`)

export const PLACES = names(
  'France, Japan, Brazil, Kenya, Canada, India, Spain, Egypt, Norway, Peru, Italy, Germany, China, Mexico, Greece, Turkey, ' +
    'Sweden, Poland, Chile, Iran, Iceland, Australia, Portugal, Nigeria, Vietnam, London, Paris, Tokyo, New York, Berlin, Rome, ' +
    'Moscow, Cairo, Sydney, Madrid, Vienna, Boston, Texas, California, Africa, Europe, Asia',
)

export const PEOPLE = names(
  'Einstein, Shakespeare, Newton, Mozart, Darwin, Cleopatra, Picasso, Napoleon, Gandhi, Beethoven, Galileo, Plato, Aristotle, ' +
    'Columbus, Lincoln, Marie Curie, Leonardo da Vinci, Julius Caesar, Ada Lovelace, Alan Turing, Frida Kahlo, Nelson Mandela, ' +
    'Charlie Chaplin, Jane Austen, Tolstoy, Bach, Van Gogh, Tesla',
)

export const TOPICS = names(
  'gravity, love, history, music, rain, democracy, photosynthesis, evolution, electricity, magnetism, inflation, climate change, ' +
    'quantum physics, relativity, black holes, chess, football, tennis, yoga, cooking, gardening, painting, poetry, philosophy, ' +
    'religion, politics, economics, marketing, psychology, sleep, stress, vitamins, exercise, diets, cancer, vaccines, the brain, ' +
    'the heart, volcanoes, earthquakes, dinosaurs, the stock market, taxes, mortgages, insurance, artificial intelligence, ' +
    'machine learning, the internet, blockchain, programming, recursion, databases, operating systems, the French Revolution, ' +
    'the Roman Empire, the Second World War, the Middle Ages, the Olympic Games, the solar system, friendship, happiness, ' +
    'patience, time management, job interviews, public speaking, traveling, photography, fashion, architecture, grammar',
)

export const ADJECTIVES = words(`
happy sad big small old new fast slow hot cold warm cool dark bright loud quiet soft hard heavy light cheap expensive strong weak
clean dirty wet dry sweet sour bitter fresh empty full rich poor young tall short long wide deep high low easy difficult simple
dangerous safe healthy sick tired hungry thirsty angry calm nervous proud brave funny serious strange famous modern ancient wild
beautiful ugly smart lazy friendly rude honest lucky lonely blue red green yellow white black round square broken
`)

export const VERBS = words(`
run walk swim fly jump climb dance sing draw paint write read speak listen learn teach study think remember forget dream sleep
cook bake eat drink clean wash build repair open close buy sell pay save spend travel drive ride sail move dig plant grow water
cut fold tie throw catch kick hit push pull lift carry hold hide find lose win fight argue apologize laugh cry smile whisper shout
meditate relax exercise stretch breathe knit sew juggle fish hunt camp hike skate ski invest vote protest negotiate
`)
