// The page: asks the model, shows its thinking as it comes, and closes the window early when told to.
import { connectModel } from './z1-native/electron/renderer.js'

const [form, input, thinking, answer] = ['form', 'input', 'pre', 'strong'].map((name) => document.querySelector(name))
const [, now] = document.querySelectorAll('button')
let model = connectModel()

async function ask() {
  const stream = (await model).stream(input.value, { thinkingWindow: 256, maxTokens: 64 })
  now.disabled = false
  now.onclick = () => stream.endThinking()
  thinking.textContent = ''
  answer.textContent = ''
  for await (const event of stream) {
    if (event.type === 'thinking') thinking.append(event.text)
    if (event.type === 'done') answer.textContent = event.result.finalAnswer ?? event.result.answer
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  try {
    await ask()
    document.title = answer.textContent
  } catch (error) {
    answer.textContent = error.message
    // The process with the model has ended: wait for that of the next load.
    if (error.code === 'HOST_EXITED') model = connectModel()
  } finally {
    now.disabled = true
  }
})
form.requestSubmit()
