/** `z1-native/eval`: accuracy over thinking windows. */
import { findModelsWith } from '../reason/model-name.js'

export { sameAnswer } from '../grading/answers.js'
export { loadSymbolic } from '../grading/symbolic.js'
export { extractFinalAnswer } from '../reason/answer.js'
export { type Comparison, compareRuns, type Side } from './compare.js'
export { type CurveComparison, type CurveFigures, compareCurves, type EqualTokens } from './compare-curves.js'
export { accuracyAt, area, areaWithin, type CurvePoint, control, passAtK, performance, scaling } from './curve.js'
export { type FigureRun, figureOf } from './figure.js'
export { gradeChoice, gradeFinalAnswer, gradeMathematics, gradeNearness } from './grade.js'
export { type HtmlReportOptions, htmlReport } from './html/page.js'
export type { Method } from './methods/index.js'
export type { EvaluateOptions } from './options.js'
export type { Progress } from './progress.js'
export type {
  Difference,
  Figures,
  ResultRecord,
  Run,
  RunEnvironment,
  RunOptions,
  ScoredResponse,
  Summary,
  WindowSummary,
} from './records.js'
export { reportOf, reportOfComparison, reportOfCurves } from './report.js'
export { readOutcomes, readRun } from './results.js'
export { evaluate } from './run.js'
export { type GroupFilter, type SelectionOptions, selectItems } from './selection.js'
export { mergeRuns } from './shard.js'
export { bootstrap, type Interval, mcnemar, spearman, wilson } from './statistics.js'
export { readSummary, summarize } from './summary.js'
export type { Grade, GraderFacts, Item, Task } from './task.js'
export type { BenchmarkOptions } from './tasks/benchmark.js'
export { bigCodeBenchHard } from './tasks/bigcodebench.js'
export type { ExecutionOptions } from './tasks/execution.js'
export { gpqaDiamond } from './tasks/gpqa-diamond.js'
export { type HeldoutOptions, heldout } from './tasks/heldout.js'
export { humanEval } from './tasks/humaneval.js'
export { type JsonlOptions, jsonl } from './tasks/jsonl.js'
export { liveCodeBench } from './tasks/livecodebench.js'
export { aime24, amc23, gsm8k, math500 } from './tasks/mathematics.js'
export { type PolicyFigures, type PolicyTable, type TryOptions, tryPolicies } from './trace/policies.js'
export type { AnswerRecord, TraceRecord } from './trace/records.js'
export { readTraces, type TraceProgress, type TraceTaskOptions, traceTask } from './trace/run.js'
export { reportOfPolicies } from './trace/table.js'

findModelsWith(async (name, options) => (await import('../hub/find-model.js')).findModel(name, options))
