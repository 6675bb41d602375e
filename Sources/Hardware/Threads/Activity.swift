/// What a thread is doing, as the end of a sentence ("computes F of sequence 1, slice 0"): a value that becomes text
/// only when somebody asks.
///
/// One of at most three words is kept without memory of its own, so that a thread can tell of every small piece of
/// work.
package typealias Activity = CustomStringConvertible & Sendable
