/** Words to ask about: English ones, and made-up ones that sound like words, so that spelling is read and not recalled. */
import type { Random } from '../base/random.js'

const ENGLISH = `
ant arm art bag bat bed bee box bus cat cow cup day dog ear egg eye fan fig fox hat hen ice ink jam jar key leg map net nut oak
owl pan pen pie pig pot ram rat sea sky sun tea toe top van war web zoo
apple arrow baker beach berry bread brick brush candy chair cheese cherry circle clock cloud coffee cookie cotton daisy dance
doctor dragon eagle engine family farmer feather finger flower forest garden giraffe glass grass guitar hammer happy harbor
hello honey horse hotel house island jacket jelly jungle kettle kitten kitchen ladder lemon letter lizard lobster mango marble
market meadow melon mirror monkey morning mountain muffin museum needle noodle number ocean office onion orange otter oyster
paddle pancake panda paper parrot pasta peach pebble pencil pepper piano pickle picture pillow pirate planet pocket potato
puddle puzzle rabbit radio raisin river robot rocket salad school silver sister soccer spider spoon spring squirrel station
stone street sugar summer sunset table tailor teacher tennis thunder tiger tomato tractor travel tunnel turtle umbrella valley
vanilla violin wagon wallet walnut water weather whale whisper window winter wizard yellow zebra zipper
accordion adventure alligator amazing avocado balloon banana barbecue basketball beautiful bicycle blueberry bookkeeper
broccoli butterfly calendar cardboard carnival caterpillar cauliflower chocolate cinnamon committee community computer
cranberry crocodile cucumber delicious dictionary difference dinosaur discovery elephant environment excellent experience
explorer firefighter grapefruit grasshopper hamburger happiness helicopter hippopotamus holiday hospital imagination
information jellyfish kangaroo keyboard laboratory library lighthouse lollipop macaroni magazine medicine mississippi
mosquito mushroom necessary newspaper nightingale notebook occurrence opportunity orchestra parallel passenger peppermint
philosophy photograph pineapple playground pomegranate population possession professor programmer pumpkin raspberry
refrigerator restaurant rhinoceros sandwich satellite scissors secretary skateboard skyscraper spaghetti strawberry
successful sunflower sweetheart television tennessee thermometer tomorrow toothbrush toothpaste trampoline vegetable
volcano volleyball watermelon wilderness wonderful woodpecker xylophone yesterday zucchini
`
  .trim()
  .split(/\s+/)

/** What most words of a text are. */
export const FREQUENT = `
the of and to in is was he for it with as his on be at by had not are but from or have an they which one you were her all she there
would their we him been has when who will more no if out so said what up its about into than them can only other new some could time
these two may then do first any my now such like our over man me even most made after also did many before must through back years
where much your way well down should because each just those people how too little state good very make world still own see men work
long get here between both life being under never day same another know while last might us great old year off come since against go
came right used take three himself few house use place during without again home around small however found thought went say part once
general high upon school every think given always returned understand natural though whole need against order short form almost
number night water enough head course far until nothing better along perhaps room began social
`
  .trim()
  .split(/\s+/)

const ONSETS = [
  ...'bcdfghjklmnprstvwz',
  'bl',
  'br',
  'ch',
  'cl',
  'dr',
  'fl',
  'gr',
  'pl',
  'pr',
  'qu',
  'sh',
  'sk',
  'sp',
  'st',
  'th',
  'tr',
]
const VOWELS = ['a', 'e', 'i', 'o', 'u', 'a', 'e', 'i', 'o', 'u', 'ai', 'ea', 'ee', 'oo', 'ou', 'y']
const CODAS = ['', '', '', ...'bdgklmnprstx', 'll', 'nd', 'ng', 'ss', 'tt', 'rr', 'mm', 'pp', 'st', 'ck']

/** A lower-case word of exactly `length` letters. */
export function word(random: Random, length: number): string {
  const english = ENGLISH.filter((candidate) => candidate.length === length)
  if (english.length >= 5 && random.chance(0.3)) return random.pick(english)
  let text = ''
  while (text.length < length) text += random.pick(ONSETS) + random.pick(VOWELS) + random.pick(CODAS)
  return text.slice(0, length)
}

/** A word as a question shows it. */
export function shownWord(random: Random, text: string): string {
  return random.pick([text, text, text, `"${text}"`, `'${text}'`])
}
