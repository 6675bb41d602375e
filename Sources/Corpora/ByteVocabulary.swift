/// Text as bytes: tokens 0 ... 255 are themselves, and packed documents begin with one token more.
package enum ByteVocabulary {
    /// The token before each document of a packed corpus.
    package static let bos: Int32 = 256
    /// A target that the loss leaves out.
    package static let ignoredTarget: Int32 = -100

    /// Tokens of a byte-level model.
    package static func size(packed: Bool) -> Int { packed ? 257 : 256 }

    /// The tokens of a prompt, as training would present it at the beginning of a document.
    package static func encode(_ text: String, packed: Bool) -> [Int32] {
        (packed ? [bos] : []) + text.utf8.map(Int32.init)
    }
}
