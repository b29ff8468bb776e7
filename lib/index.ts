import { sameAnswer } from './grading/answers.js'
import { connectWith } from './reason/connect.js'
import { findModelsWith } from './reason/model-name.js'
import { compareAnswersWith } from './reason/vote.js'

export type { ErrorCode } from './base/errors.js'
export { Z1Error } from './base/errors.js'
export { sameAnswer }
export { jsonSchemaToGrammar, type SchemaGrammar } from './grammar/schema-to-grammar.js'
export type { SchemaWarning } from './grammar/warnings.js'
export type { JsonValue } from './jinja/convert.js'
export type { Device, SampledLogprob, TokenLogprob } from './native/binding.js'
export { extractFinalAnswer } from './reason/answer.js'
export type { ConnectOptions } from './reason/connect.js'
export type { ModelInfo } from './reason/load.js'
export type { LogprobsOptions } from './reason/logprobs.js'
export type { ChatMessage } from './reason/messages.js'
export type { LoadOptions, ReasonOptions } from './reason/options.js'
export type { Reasoner, ReasonerModel } from './reason/reasoner.js'
export type { RenderedPrompt } from './reason/request.js'
export type { ReasonEvent, ReasonResult, SampleResult, Vote } from './reason/result.js'
export type { ReasonStream } from './reason/stream.js'
export type { JsonSchema, StandardJsonSchema } from './reason/structured.js'
export type { ToolCallDelta } from './reason/tool-calls.js'
export type { Tool, ToolCall, ToolChoice } from './reason/tools.js'
export { Z1 } from './reason/z1.js'

// The Hub's room is loaded when a model is named.
findModelsWith(async (name, options) => (await import('./hub/find-model.js')).findModel(name, options))
// So is that of servers when one is connected to.
connectWith(async (options) => (await import('./remote/reasoner.js')).connect(options))
compareAnswersWith(async () => sameAnswer)
