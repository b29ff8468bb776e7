/** What run.json says of a run: what its results depend on, and what is worth knowing beside. */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { sha256Of } from '../base/files.js'
import { packageVersion } from '../base/package.js'
import { checkAdapterFile } from '../reason/load-checks.js'
import { checkModelFile } from '../reason/model-file.js'
import type { Reasoner, ReasonerModel } from '../reason/reasoner.js'
import { hashedItems } from './formats.js'
import type { ResolvedOptions } from './options.js'
import type { RunEnvironment, RunOptions } from './records.js'
import type { Item } from './task.js'

/** What a run's results depend on. @throws {Z1Error} MODEL_NOT_FOUND. */
export async function pinnedOptions(options: ResolvedOptions, items: readonly Item[]): Promise<RunOptions> {
  const {
    task,
    reasoner,
    load,
    methodName,
    method,
    windows,
    system = null,
    temperature,
    samples,
    seed,
    speculation,
    shard,
  } = options
  return {
    task: task.name,
    items: items.length,
    itemsSha256: createHash('sha256')
      .update(JSON.stringify(hashedItems(items)))
      .digest('hex'),
    ...(shard !== undefined && { shard }),
    ...(task.grader && { grader: await task.grader() }),
    ...(reasoner ? await pinReasoner(reasoner) : await pinFile(load.model)),
    method: methodName,
    windows: windows.map(({ name }) => name),
    ...method.pinned,
    system,
    temperature,
    samples,
    seed,
    ...(speculation && { speculation }),
    ...(await pinLoad(reasoner ? reasoner.model : load)),
    contextSize: reasoner ? reasoner.model.contextSize : (load.contextSize ?? null),
  }
}

type PinnedModel = Pick<RunOptions, 'modelSha256' | 'modelName'>

/** A model's file is known by its content. */
async function pinFile(path: string): Promise<PinnedModel> {
  await checkModelFile(path)
  return { modelSha256: await sha256Of(path), modelName: null }
}

/** What else of a load changes the results, where it is not the default: a run that was made without it goes on. */
async function pinLoad({
  cacheType,
  lora = [],
}: Partial<Pick<ReasonerModel, 'cacheType' | 'lora'>>): Promise<Pick<RunOptions, 'cacheType' | 'lora'>> {
  for (const { path } of lora) await checkAdapterFile(path)
  const adapters = await Promise.all(lora.map(async ({ path, scale }) => ({ sha256: await sha256Of(path), scale })))
  const isDefault = cacheType === undefined || (cacheType.k === 'f16' && cacheType.v === 'f16')
  return { ...(!isDefault && { cacheType }), ...(adapters.length > 0 && { lora: adapters }) }
}

/** What runs elsewhere is known by its name alone. */
async function pinReasoner({ model }: Reasoner): Promise<PinnedModel> {
  return (await isFile(model.path)) ? pinFile(model.path) : { modelSha256: null, modelName: model.path }
}

/** Of a model that runs elsewhere it may be little. */
export async function environmentOf(model: ReasonerModel): Promise<RunEnvironment> {
  const { path, architecture, quantization, parameters, size, engine, devices, parallel, branches, threads } = model
  return {
    version: packageVersion(),
    model: { file: (await isFile(path)) ? basename(path) : path, architecture, quantization, parameters, size },
    engine,
    devices: devices?.map(({ name }) => name),
    parallel,
    branches,
    threads,
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  )
}
