/** Whether the programs of tests can be executed here. */
import { findSandboxTools } from '../../lib/grading/execution/tools.js'

/** Why not, where they cannot. */
export const noSandbox: string | undefined = await findSandboxTools().then(
  () => undefined,
  (error: Error) => error.message,
)

if (noSandbox) console.warn(`Programs are not executed: ${noSandbox}`)
