/** `POST /v1/responses` of OpenAI, and of Open Responses. Nothing is stored: what came before is sent with each request. */
import { integer, listOf, oneOf, text } from '../../base/checks.js'
import { type FieldTable, ignore, readFields, refuse, refuseUnless, use } from '../../protocol/fields.js'
import { responsesMessages } from '../../protocol/messages.js'
import { SAMPLING_FIELDS, samplingOptions } from '../../protocol/sampling.js'
import { structureOf } from '../../protocol/structure.js'
import { responsesTools } from '../../protocol/tools.js'
import { windowOf } from '../../protocol/window-fields.js'
import type { ReasonOptions } from '../../reason/options.js'
import type { Asked, Dialect } from '../dialect.js'
import { openAiError } from '../failure.js'
import {
  COMMON_FIELDS,
  elsewhere,
  isEmpty,
  otherKeys,
  THINKING_FIELDS,
  TOOL_FIELDS,
  tokens,
  warnOfOtherKeys,
} from './fields.js'
import { ResponseWriter } from './responses-writer.js'

const { stop: _, ...sampling } = SAMPLING_FIELDS

export const RESPONSES_FIELDS = {
  ...COMMON_FIELDS,
  ...sampling,
  ...TOOL_FIELDS,
  input: elsewhere,
  instructions: use(text),
  max_output_tokens: use(tokens),
  text: elsewhere,
  background: refuse('nothing is stored', false),
  conversation: refuse('nothing is stored: send what came before as input'),
  previous_response_id: refuse('nothing is stored: send what came before as input'),
  prompt: refuse('there are no stored prompts'),
  context_management: refuseUnless('the context is as it is sent', isEmpty),
  truncation: use(oneOf(['auto', 'disabled'])),
  moderation: refuse('nothing is moderated'),
  include: use(listOf(text, 'array of strings')),
  stream_options: ignore('nothing is hidden'),
  top_logprobs: use(integer(0, 20)),
} satisfies FieldTable

export const responses: Dialect = {
  idPrefix: 'resp_',
  error: openAiError,
  read(body, warnings): Asked {
    const fields = readFields({ ...THINKING_FIELDS, ...RESPONSES_FIELDS }, body, warnings) as ResponsesValues
    warnOfOtherKeys(body, warnings)
    otherKeys(body, 'chat_template_kwargs', warnings)
    const { asked, name } = windowOf(body)
    return {
      model: fields.model,
      input: responsesMessages(fields.input, fields.instructions),
      options: {
        ...samplingOptions(fields),
        ...formatOf(fields.text, warnings),
        ...responsesTools(body),
        ...overflowOf(fields.truncation),
        ...logprobsAsked(fields),
      },
      total: fields.max_output_tokens,
      thinking: asked,
      names: { window: name ?? 'thinking_window', total: 'max_output_tokens' },
      continues: false,
      stream: fields.stream ?? false,
      writer: (facts) => new ResponseWriter(facts, body),
    }
  },
}

type ResponsesValues = ReturnType<typeof readFields<typeof RESPONSES_FIELDS>>

/** What is not said is left to the server's defaults. */
function overflowOf(truncation: 'auto' | 'disabled' | undefined): Pick<ReasonOptions, 'overflow'> {
  return truncation === undefined ? {} : { overflow: truncation === 'auto' ? 'shift' : 'error' }
}

/** Other values of `include` ask for what is told anyway, or is not there. */
function logprobsAsked({ include = [], top_logprobs: top = 0 }: ResponsesValues): Pick<ReasonOptions, 'logprobs'> {
  return top > 0 || include.includes('message.output_text.logprobs') ? { logprobs: { top } } : {}
}

function formatOf(given: unknown, warnings: string[]) {
  if (given === undefined) return {}
  const { format, ...others } = Object(given)
  for (const key of Object.keys(others)) warnings.push(`text.${key} has no effect`)
  return format === undefined || format === null ? {} : structureOf(format, 'text.format')
}
