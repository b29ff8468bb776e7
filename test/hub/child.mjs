// Pulls what its first argument names, and prints what came of it as JSON. Where: HF_ENDPOINT, HF_HUB_CACHE.
import { pull } from '../../dist/hub/index.js'

try {
  console.log(JSON.stringify(await pull(process.argv[2])))
} catch ({ name, code, message }) {
  console.log(JSON.stringify({ name, code, message }))
  process.exitCode = 1
}
