import Logging

/// Brings what is logged to the console, a line each; a `rank` among the metadata stands in front.
package struct ConsoleLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel = Logger.Level.info

    package init() {}

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let rank = event.metadata?["rank"] ?? metadata["rank"]
        let text = (rank.map { "rank \($0): " } ?? "") + event.message.description
        switch event.level {
        case .trace, .debug, .info, .notice: Console.say(text)
        case .warning: Console.complain("warning: \(text)")
        case .error, .critical: Console.complain("Error: \(text)")
        }
    }
}
