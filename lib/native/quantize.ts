/** llama.cpp's llama_model_quantize as a task of the pool. */
import type { QuantizeParams } from './binding.js'
import { openAddon } from './channel.js'
import { runNativeTask, type TaskOptions } from './task.js'

/** Writes `params.output`. The engine must be open. Rejects with a native error, whose `code` is a Z1Error's. */
export async function quantizeModel(params: QuantizeParams, options: TaskOptions): Promise<void> {
  await runNativeTask(options, (task, report) => openAddon().modelQuantize(task, params, report))
}
