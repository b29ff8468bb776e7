// The settings of the page: sliders, what they show, and the fields of a request that they stand for.

/** @param {string} id */
const input = (id) => /** @type {HTMLInputElement} */ (document.getElementById(id))

/** @type {number[]} */
let windows = [0]
/** @type {number[]} */
let answers = [1]

/** @param {number} most */
function steps(most) {
  const values = []
  for (let value = 16; value < most; value *= 2) values.push(value, value * 1.5)
  return values.filter((value) => value < most)
}

/** @param {string} id @param {readonly number[]} values @param {number} wanted */
function place(id, values, wanted) {
  const slider = input(id)
  slider.max = String(values.length - 1)
  const nearest = values.reduce((best, value, i) => {
    return Math.abs(value - wanted) < Math.abs(/** @type {number} */ (values[best]) - wanted) ? i : best
  }, 0)
  slider.value = String(nearest)
}

/** @param {readonly number[]} values @param {string} id */
const chosen = (values, id) => /** @type {number} */ (values[Number(input(id).value)])

function show() {
  /** @param {string} id @param {string} text */
  const set = (id, text) => {
    const shown = document.getElementById(`${id}-shown`)
    if (shown) shown.textContent = text
    input(id).setAttribute('aria-valuetext', text)
  }
  set('window', `${chosen(windows, 'window')} tokens`)
  set('answer', `${chosen(answers, 'answer')} tokens`)
  set('temperature', Number(input('temperature').value).toFixed(2))
  set('top-p', Number(input('top-p').value).toFixed(2))
}

/**
 * @param {number} contextSize Tokens of prompt, thinking and answer.
 * @param {number | null} own The model's own window.
 */
export function startSettings(contextSize, own) {
  windows = [0, 1, 2, 4, 8, ...steps(contextSize * 0.75)]
  answers = steps(contextSize / 2)
  if (answers.length === 0) answers = [Math.max(1, Math.floor(contextSize / 4))]
  if (own !== null && !windows.includes(own) && own < contextSize) windows = [...windows, own].sort((a, b) => a - b)
  place('window', windows, own ?? Math.min(1024, contextSize / 4))
  place('answer', answers, Math.min(1024, contextSize / 4))
  show()
}

for (const id of ['window', 'answer', 'temperature', 'top-p']) input(id).addEventListener('input', show)

/** The fields of a request. Its limit counts thinking and answer. */
export function readSettings() {
  const window = chosen(windows, 'window')
  return {
    system: /** @type {HTMLTextAreaElement} */ (/** @type {unknown} */ (input('system'))).value.trim(),
    thinking_window: window,
    max_tokens: window + chosen(answers, 'answer'),
    temperature: Number(input('temperature').value),
    top_p: Number(input('top-p').value),
  }
}
