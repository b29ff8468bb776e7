/**
 * A byte-level BPE vocabulary, from tokenizer.json and tokenizer_config.json to the `tokenizer.*` keys. Follows
 * llama.cpp's converter (conversion/base.py get_vocab_base, gguf-py/gguf/vocab.py SpecialVocab), but where that one
 * ignores what it does not know, this one refuses it.
 */
import { boolean, integer } from '../base/checks.js'
import { invalid, unsupported } from './failure.js'
import type { Metadata } from './gguf.js'
import { list, type Section, sectionOf, string } from './json.js'
import { preTokenizerName } from './pre-tokenizer.js'

/** The JSON files that say what the vocabulary is. */
export interface VocabularySource {
  config: Section
  /** tokenizer.json */
  tokenizer: Section
  /** tokenizer_config.json */
  tokenizerConfig: Section
}

/** llama.h `enum llama_token_type`. */
const TOKEN_TYPE = { normal: 1, control: 3, userDefined: 4, unused: 5 }

interface AddedToken {
  id: number
  special: boolean
}

/** @throws {Z1Error} MODEL_INVALID, MODEL_UNSUPPORTED */
export function vocabularyMetadata(source: VocabularySource, vocabularySize: number): Metadata {
  const { tokenizer } = source
  const model = tokenizer.section('model')
  checkModel(model)
  checkNormalizer(tokenizer)
  checkDecoder(tokenizer)

  const added = addedTokens(source)
  const ids = tokenIds(model)
  checkPadding(source.config, vocabularySize, ids.size + added.size)
  const merges = readMerges(model, ids)
  const tokens: string[] = Array.from({ length: vocabularySize }, (_, id) => `[PAD${id}]`)
  const types: number[] = Array(vocabularySize).fill(TOKEN_TYPE.unused)
  const place = (text: string, id: number, type: number) => {
    if (id >= vocabularySize) {
      throw invalid(tokenizer.path, `the token ${show(text)} is number ${id}, but vocab_size is ${vocabularySize}`)
    }
    const there = tokens[id] as string
    if (types[id] !== TOKEN_TYPE.unused && there !== text) {
      throw invalid(tokenizer.path, `the tokens ${show(there)} and ${show(text)} are both number ${id}`)
    }
    tokens[id] = text
    types[id] = type
  }
  for (const [text, id] of ids) place(text, id, TOKEN_TYPE.normal)
  for (const [text, { id, special }] of added) {
    const elsewhere = ids.get(text)
    if (elsewhere !== undefined && elsewhere !== id) {
      throw invalid(tokenizer.path, `the token ${show(text)} is number ${elsewhere} and, as an added one, ${id}`)
    }
    place(text, id, special || looksSpecial(text) ? TOKEN_TYPE.control : TOKEN_TYPE.userDefined)
  }

  return new Map([
    ['tokenizer.ggml.model', { type: 'string', value: 'gpt2' }],
    ['tokenizer.ggml.pre', { type: 'string', value: preTokenizerName(tokenizer) }],
    ['tokenizer.ggml.tokens', { type: 'string', value: tokens }],
    ['tokenizer.ggml.token_type', { type: 'int32', value: types }],
    ['tokenizer.ggml.merges', { type: 'string', value: merges }],
    ...specialTokens(source, added, vocabularySize),
  ])
}

/** Most unused numbers that a vocabulary is padded with; those of Qwen's models are a few hundred. */
const MAX_PADDING = 2 ** 16

/** A token is made for each number without one: far more of them than tokens are a mistake. */
function checkPadding(config: Section, vocabularySize: number, tokens: number): void {
  if (vocabularySize <= tokens + MAX_PADDING) return
  throw invalid(config.path, `vocab_size is ${vocabularySize}, but tokenizer.json has only ${tokens} tokens`)
}

function checkModel(model: Section): void {
  const type = model.read('type', string)
  if (type !== 'BPE')
    throw unsupported(model.path, `its vocabulary is of the type ${type}; only byte-level BPE is supported`)
  // Each changes how tokens are found, and llama.cpp knows none of them for this kind of vocabulary.
  for (const key of ['dropout', 'unk_token', 'continuing_subword_prefix', 'end_of_word_suffix']) {
    const value = model.get(key)
    if (value !== undefined && value !== '') {
      throw unsupported(model.path, `${model.prefix}${key} is ${JSON.stringify(value)}; only null is supported`)
    }
  }
  for (const key of ['byte_fallback', 'ignore_merges']) {
    if (model.find(key, boolean))
      throw unsupported(model.path, `${model.prefix}${key} is true; only false is supported`)
  }
}

/** llama.cpp does not normalize. NFC passes, as in its own converter: nearly all text is in that form already. */
function checkNormalizer(tokenizer: Section): void {
  if (!tokenizer.has('normalizer')) return
  const type = stepsOf(tokenizer.section('normalizer')).find((type) => type !== 'NFC')
  if (type !== undefined) throw unsupported(tokenizer.path, `its normalizer is ${type}; only NFC or none is supported`)
}

/** The types of a normalizer's steps: a Sequence is no more than those in it. */
function stepsOf(normalizer: Section): string[] {
  const type = normalizer.read('type', string)
  return type === 'Sequence' ? normalizer.sections('normalizers').flatMap(stepsOf) : [type]
}

function checkDecoder(tokenizer: Section): void {
  const type = tokenizer.section('decoder').read('type', string)
  if (type !== 'ByteLevel') throw unsupported(tokenizer.path, `its decoder is ${type}; only ByteLevel is supported`)
}

function tokenIds(model: Section): Map<string, number> {
  const ids = new Map<string, number>()
  const vocab = model.section('vocab')
  for (const text of Object.keys(vocab.fields)) {
    if (/\p{Surrogate}/u.test(text)) throw invalid(model.path, `the token ${show(text)} is not well-formed text`)
    ids.set(text, vocab.read(text, tokenId))
  }
  for (const text of byteCharacters()) {
    if (!ids.has(text)) throw unsupported(model.path, `no token is the byte that ${show(text)} stands for`)
  }
  return ids
}

const tokenId = integer(0, 2 ** 31 - 1)

/** How GPT-2's vocabularies spell bytes: printable ones stand for themselves, the rest are characters from 256 on. */
function byteCharacters(): string[] {
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173)
    return String.fromCharCode(printable ? byte : next++)
  })
}

/** Merges are pairs, or texts of two parts in the files of older versions. */
function readMerges(model: Section, ids: ReadonlyMap<string, number>): string[] {
  return model.read('merges', list).map((merge, i) => {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge
    const [left, right, ...rest] = Array.isArray(pair) ? pair : []
    if (typeof left !== 'string' || typeof right !== 'string' || rest.length > 0) {
      throw invalid(model.path, `${model.prefix}merges[${i}] is not a pair: ${JSON.stringify(merge)}`)
    }
    for (const part of [left, right, left + right]) {
      if (!ids.has(part)) throw invalid(model.path, `${model.prefix}merges[${i}] needs the token ${show(part)}`)
    }
    return `${left} ${right}`
  })
}

function addedTokens({ tokenizer, tokenizerConfig }: VocabularySource): Map<string, AddedToken> {
  const added = new Map<string, AddedToken>()
  for (const token of tokenizer.sections('added_tokens')) {
    const text = token.read('content', string)
    const id = token.read('id', tokenId)
    if (text === '' || added.has(text))
      throw invalid(token.path, `the added token ${show(text)} is empty or a duplicate`)
    for (const key of ['single_word', 'lstrip', 'rstrip']) {
      if (token.find(key, boolean))
        throw unsupported(token.path, `the token ${show(text)} uses ${key}, which llama.cpp does not support`)
    }
    added.set(text, { id, special: isSpecial(token) })
  }
  // transformers 4 repeats the list, and would believe this one.
  if (tokenizerConfig.has('added_tokens_decoder')) {
    for (const [id, value] of Object.entries(tokenizerConfig.section('added_tokens_decoder').fields)) {
      const token = sectionOf(value, tokenizerConfig.path, `added_tokens_decoder.${id}`)
      const text = token.read('content', string)
      const same = added.get(text)
      if (!same || same.id !== Number(id) || same.special !== isSpecial(token)) {
        throw invalid(tokenizerConfig.path, `the added token ${show(text)} is another one in tokenizer.json`)
      }
    }
  }
  return added
}

/** Absent, it has the default of the AddedToken of tokenizers and transformers. */
function isSpecial(token: Section): boolean {
  return token.find('special', boolean) ?? false
}

/** Added tokens that models mark as ordinary text although they are not (conversion/base.py, does_token_look_special). */
function looksSpecial(text: string): boolean {
  return (
    ['<pad>', '<mask>', '<2mass>', '[@BOS@]'].includes(text) ||
    (text.startsWith('<|') && text.endsWith('|>')) ||
    (text.startsWith('<｜') && text.endsWith('｜>')) ||
    (text.startsWith('<unused') && text.endsWith('>'))
  )
}

/** The tokens with a role, in llama.cpp's spelling of the keys. */
const ROLES = { bos: 'bos', eos: 'eos', unk: 'unknown', pad: 'padding', mask: 'mask' }

function specialTokens(
  { config, tokenizer, tokenizerConfig }: VocabularySource,
  added: ReadonlyMap<string, AddedToken>,
  vocabularySize: number,
): Metadata {
  for (const role of ['sep', 'cls']) {
    if (tokenizerConfig.has(`${role}_token`)) {
      throw unsupported(tokenizerConfig.path, `${role}_token is a token of encoders, which are not supported`)
    }
  }
  const keys: Metadata = new Map()
  for (const [role, name] of Object.entries(ROLES)) {
    const text = tokenText(tokenizerConfig, `${role}_token`)
    if (text !== undefined && !added.has(text)) {
      throw invalid(
        tokenizerConfig.path,
        `${role}_token is ${show(text)}, which is not an added token of tokenizer.json`,
      )
    }
    // A list names several ends; llama.cpp has room for one, and knows those of Qwen's family by their text.
    const stated = Array.isArray(config.get(`${role}_token_id`)) ? undefined : config.find(`${role}_token_id`, tokenId)
    const id = text === undefined ? stated : added.get(text)?.id
    if (id === undefined) continue
    if (id >= vocabularySize)
      throw invalid(config.path, `${role}_token_id is ${id}, but vocab_size is ${vocabularySize}`)
    keys.set(`tokenizer.ggml.${name}_token_id`, { type: 'uint32', value: id })
  }

  const adds = addedAround(tokenizer, tokenizerConfig)
  for (const role of ['bos', 'eos'] as const) {
    const value = tokenizerConfig.find(`add_${role}_token`, boolean) ?? adds[role]
    if (value !== undefined) keys.set(`tokenizer.ggml.add_${role}_token`, { type: 'bool', value })
  }
  return keys
}

/** A token's text: a string, or what transformers makes of an AddedToken. */
function tokenText(tokenizerConfig: Section, key: string): string | undefined {
  const value = tokenizerConfig.get(key)
  return typeof value === 'object'
    ? tokenizerConfig.section(key).read('content', string)
    : tokenizerConfig.find(key, string)
}

/** Whether the post-processor puts BOS before every text, and EOS after it. */
function addedAround(tokenizer: Section, tokenizerConfig: Section): { bos?: boolean; eos?: boolean } {
  if (!tokenizer.has('post_processor')) return {}
  const post = tokenizer.section('post_processor')
  const processors = post.get('type') === 'Sequence' ? post.sections('processors') : [post]
  const adds: { bos?: boolean; eos?: boolean } = {}
  for (const processor of processors) {
    const type = processor.read('type', string)
    if (type === 'ByteLevel') continue
    if (type !== 'TemplateProcessing') throw unsupported(processor.path, `its post-processor is ${type}`)
    const single = processor.sections('single')
    const [first, last] = [single[0], single.at(-1)].map((item) => {
      return item?.has('SpecialToken') ? item.section('SpecialToken').read('id', string) : undefined
    })
    const words = single.length - (first === undefined ? 0 : 1) - (last === undefined ? 0 : 1)
    const [bos, eos] = ['bos_token', 'eos_token'].map((key) => tokenText(tokenizerConfig, key))
    if (words !== 1 || (first !== undefined && first !== bos) || (last !== undefined && last !== eos)) {
      throw unsupported(processor.path, 'its post-processor adds other tokens than BOS before a text and EOS after it')
    }
    if (first !== undefined) adds.bos = true
    if (last !== undefined) adds.eos = true
  }
  return adds
}

function show(text: string): string {
  return JSON.stringify(text)
}
