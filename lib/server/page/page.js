// The page of `z1 serve`: a conversation with the model, under a window that its reader sets.
import { Fault, request, respond } from './client.js'
import { readSettings, startSettings } from './settings.js'

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
const byId = (id) => /** @type {T} */ (document.getElementById(id))

const conversation = byId('conversation')
const question = /** @type {HTMLTextAreaElement} */ (byId('question'))
const send = /** @type {HTMLButtonElement} */ (byId('send'))
const stop = /** @type {HTMLButtonElement} */ (byId('stop'))
const now = /** @type {HTMLButtonElement} */ (byId('now'))
const clear = /** @type {HTMLButtonElement} */ (byId('clear'))
const fault = byId('fault')
const key = /** @type {HTMLInputElement} */ (byId('key'))

/** @type {import('./client.js').Message[]} */
let messages = []
/** @type {{ abort: AbortController, id: string | undefined } | null} */
let running = null

const WHY = /** @type {Record<string, string>} */ ({
  window: 'The window closed',
  request: 'Cut by you',
  loop: 'It went in a circle',
  early: 'It was sure',
  self: 'It closed its thinking',
})

/**
 * @param {string} tag
 * @param {string} name Its class.
 * @param {string} [text]
 */
function element(tag, name, text = '') {
  const made = document.createElement(tag)
  made.className = name
  made.textContent = text
  return made
}

/** Follows what comes, unless its reader has scrolled away. */
function follow() {
  const left = conversation.scrollHeight - conversation.scrollTop - conversation.clientHeight
  if (left < 120) conversation.scrollTop = conversation.scrollHeight
}

/** @param {Error | null} error */
function showFault(error) {
  fault.hidden = error === null
  fault.textContent = error?.message ?? ''
  if (error instanceof Fault && error.status === 401) {
    byId('key-setting').hidden = false
    key.focus()
  }
}

/** @param {boolean} isRunning */
function setRunning(isRunning) {
  send.hidden = isRunning
  stop.hidden = !isRunning
  now.hidden = !isRunning
  clear.disabled = isRunning || messages.length === 0
}

/** @param {string} text */
async function ask(text) {
  showFault(null)
  byId('empty').hidden = true
  messages.push({ role: 'user', content: text })
  const asked = element('article', 'user', text)
  const reply = element('article', 'reply running')
  const thinking = element('div', 'thinking')
  const answer = element('div', 'answer')
  reply.append(thinking, answer)
  conversation.append(asked, reply)
  conversation.scrollTop = conversation.scrollHeight
  const { system, ...settings } = readSettings()
  const before = system === '' ? [] : [{ role: 'system', content: system }]
  const own = { abort: new AbortController(), id: /** @type {string | undefined} */ (undefined) }
  running = own
  setRunning(true)
  let hint = ''
  let tokens = 0
  /** @type {string[]} */
  const facts = []
  try {
    const body = { messages: [...before, ...messages], ...settings }
    for await (const event of respond(body, key.value, own.abort.signal)) {
      if (event.type === 'id') own.id = event.id
      else if (event.type === 'thinking') thinking.append(event.text)
      else if (event.type === 'usage') tokens = event.tokens
      else if (event.type === 'cut') {
        hint = event.z1.hint
        answer.before(cutMark(event.z1))
        reply.classList.add('answering')
        now.hidden = true
      } else if (event.type === 'answer') {
        reply.classList.add('answering')
        answer.append(event.text)
      } else {
        if (event.z1.answerRepeats)
          answer.before(element('p', 'self', `It ended by itself after ${event.z1.thinkingTokens} tokens.`))
        if (event.finish === 'length') facts.push('it reached its limit')
      }
      follow()
    }
  } catch (error) {
    if (own.abort.signal.aborted) facts.push('stopped')
    else showFault(/** @type {Error} */ (error))
  } finally {
    running = null
    reply.classList.remove('running')
  }
  finish(reply, { thinking: thinking.textContent, answer: answer.textContent, hint, tokens, facts, asked })
  setRunning(false)
  follow()
}

/** @param {import('./client.js').Metadata} z1 */
function cutMark({ ended, thinkingTokens, hint }) {
  const mark = element('div', 'cut')
  mark.append(element('strong', '', `✂ ${WHY[ended] ?? 'The thinking was cut'} after ${thinkingTokens} tokens`))
  if (hint.trim() !== '') mark.append(element('q', '', hint.trim()))
  return mark
}

/**
 * @param {HTMLElement} reply
 * @param {{ thinking: string, answer: string, hint: string, tokens: number, facts: string[], asked: HTMLElement }} said
 */
function finish(reply, { thinking, answer, hint, tokens, facts, asked }) {
  if (thinking === '' && answer === '') {
    // Nothing was said: the message is its writer's again.
    question.value = messages.pop()?.content ?? ''
    reply.remove()
    asked.remove()
    byId('empty').hidden = messages.length > 0
    return
  }
  messages.push({
    role: 'assistant',
    content: answer,
    ...(thinking !== '' && { reasoning_content: thinking, z1: { hint } }),
  })
  const foot = element('div', 'foot')
  const copy = element('button', '', 'Copy')
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(answer === '' ? thinking : answer)
    copy.textContent = 'Copied'
    setTimeout(() => {
      copy.textContent = 'Copy'
    }, 1500)
  })
  foot.append(
    copy,
    ...[tokens > 0 ? `${tokens} tokens` : '', ...facts].filter(Boolean).map((fact) => element('span', '', fact)),
  )
  reply.append(foot)
}

async function endThinking() {
  if (!running?.id || now.hidden) return
  now.hidden = true
  await request('/v1/chat/completions/control', key.value, { action: 'reasoning_end', id: running.id }).catch(showFault)
}

byId('composer').addEventListener('submit', (event) => {
  event.preventDefault()
  const text = question.value.trim()
  if (running || text === '') return
  question.value = ''
  void ask(text)
})
question.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.ctrlKey || event.metaKey || event.isComposing) return
  event.preventDefault()
  send.form?.requestSubmit()
})
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && running) running.abort.abort()
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void endThinking()
})
stop.addEventListener('click', () => running?.abort.abort())
now.addEventListener('click', endThinking)
clear.addEventListener('click', () => {
  messages = []
  for (const article of conversation.querySelectorAll('article')) article.remove()
  byId('empty').hidden = false
  showFault(null)
  clear.disabled = true
  question.focus()
})
byId('theme').addEventListener('click', () => {
  const { dataset } = document.documentElement
  const isDark = (dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark'
  dataset.theme = isDark ? 'light' : 'dark'
  localStorage.setItem('z1-theme', dataset.theme)
})
const theme = localStorage.getItem('z1-theme')
if (theme) document.documentElement.dataset.theme = theme
key.value = sessionStorage.getItem('z1-key') ?? ''

async function start() {
  try {
    const { data } = await (await request('/v1/models', key.value)).json()
    const { id, z1 } = data[0]
    byId('model').textContent = id
    document.title = `${id} · z1`
    startSettings(z1.contextSize ?? 8192, z1.thinkingWindow)
    showFault(null)
  } catch (error) {
    showFault(/** @type {Error} */ (error))
  }
}
key.addEventListener('change', () => {
  sessionStorage.setItem('z1-key', key.value)
  void start()
})
startSettings(8192, null)
void start()
