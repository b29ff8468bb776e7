/** What the conversion of a schema had to leave out. */

/** What a grammar does not enforce. */
export interface SchemaWarning {
  /** JSON Pointer to the subschema. */
  path: string
  keyword: string
  /** Why, in one sentence. */
  message: string
}
