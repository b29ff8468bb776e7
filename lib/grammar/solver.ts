/** What the rooms of a schema ask of nodes, without knowing how a node is read. */
import type { Node, Nodes } from './nodes.js'

export interface Solver {
  nodes: Nodes
  /** Whether no value is of this node. False where that is not known. */
  isEmpty(node: Node): boolean
  /** Whether a value is of both; true where that is not known. */
  overlap(a: Node, b: Node): boolean
}
