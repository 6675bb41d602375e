import Files

/// What is met in folders of text and is none: what runs write.
package struct CorpusExclusions: Sendable {
    /// A folder that is left out wherever it is, and that is no text when it is named as one.
    package struct LeftOut: Sendable {
        /// The key that names it, for messages.
        let key: String
        let path: BytePath

        package init(key: String, path: String) {
            self.key = key
            self.path = BytePath(path)
        }
    }

    let folders: [LeftOut]
    /// Whether a folder with this name and these entries is written by runs. Names that are no text are not among them.
    let isRun: @Sendable (_ name: String, _ entries: Set<String>) -> Bool

    package init(
        folders: [LeftOut], isRun: @escaping @Sendable (_ name: String, _ entries: Set<String>) -> Bool
    ) {
        self.folders = folders
        self.isRun = isRun
    }

    package static let none = CorpusExclusions(folders: []) { _, _ in false }
}
