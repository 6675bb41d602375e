import Files
import Logging

/// What happens on the way of a run.
private let logger = Logger(label: "gecko") { _ in ConsoleLogHandler() }

/// A line of the run, on standard output.
package func say(_ text: String) { Console.say(text) }

/// Something that the run survives.
/// - Parameter rank: the one that it happened to
func warn(_ text: String, rank: Int? = nil) {
    logger.warning("\(text)", metadata: rank.map { ["rank": "\($0)"] })
}
