/** Ajv, which says whether a value is what a schema asks for. */
import { Ajv, type Options } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

const addFormats = formats as unknown as typeof formats.default
const options: Options = { strict: false, logger: false }

export function schemaValidator(draft: 'draft7' | 'draft2020' = 'draft2020'): Ajv {
  const ajv = draft === 'draft7' ? new Ajv(options) : new Ajv2020(options)
  addFormats(ajv)
  return ajv
}
