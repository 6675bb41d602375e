import Files

/// What is met in folders of text and is none: what runs write.
package struct CorpusExclusions: Sendable {
    /// A folder that is left out wherever it is, and that is no text when it is named as one.
    package struct Place: Sendable {
        /// The key that names it, for messages.
        let key: String
        let path: BytePath

        package init(key: String, path: String) {
            self.key = key
            self.path = BytePath(path)
        }
    }

    let places: [Place]
    /// Whether a folder with this name and these entries is written by runs. Names that are no text are not among them.
    let isRun: @Sendable (_ name: String, _ entries: Set<String>) -> Bool

    package init(
        places: [Place], isRun: @escaping @Sendable (_ name: String, _ entries: Set<String>) -> Bool
    ) {
        self.places = places
        self.isRun = isRun
    }

    package static let none = CorpusExclusions(places: []) { _, _ in false }
}
