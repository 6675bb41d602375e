import Schedules

/// An sRGB colour.
struct Colour: Hashable {
    let red, green, blue: Int

    init(_ hex: UInt32) {
        red = Int(hex >> 16 & 0xFF)
        green = Int(hex >> 8 & 0xFF)
        blue = Int(hex & 0xFF)
    }

    private init(red: Int, green: Int, blue: Int) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// This colour with a share of `other` in it.
    func mixed(with other: Colour, share: Double) -> Colour {
        func mix(_ a: Int, _ b: Int) -> Int { Int((Double(a) * (1 - share) + Double(b) * share).rounded()) }
        return Colour(
            red: mix(red, other.red), green: mix(green, other.green), blue: mix(blue, other.blue))
    }

    /// The nearest of a few thousand colours: mixtures that nobody can tell apart are one.
    var coarse: Colour {
        func step(_ value: Int) -> Int { min(255, (value + 8) / 16 * 16) }
        return Colour(red: step(red), green: step(green), blue: step(blue))
    }

    var hex: String {
        let digits = Array("0123456789abcdef")
        return "#" + [red, green, blue].map { "\(digits[$0 / 16])\(digits[$0 % 16])" }.joined()
    }

    /// Whether dark text reads better on it than white text.
    var isLight: Bool { 299 * red + 587 * green + 114 * blue > 150_000 }
}

/// One colour for each kind of work, the same in every drawing.
enum Palette {
    static func colour(_ content: Timeline.Content) -> Colour {
        switch content {
        case .action(let action): colour(action.kind)
        case .label("sync"): Colour(0xC4574E)
        case .label("optimizer"): Colour(0x7A57A8)
        case .label("evaluate"): Colour(0x4F6D7A)
        case .label: Colour(0x8A7562)
        }
    }

    static func colour(_ kind: ActionKind) -> Colour {
        switch kind {
        case .forward: Colour(0x3F7FBF)
        case .backward: Colour(0x2F9470)
        case .backwardInput: Colour(0x3FA27C)
        case .backwardWeight: Colour(0xE3A33B)
        case .recompute: Colour(0x9AA6B4)
        }
    }

    static func title(_ content: Timeline.Content) -> String {
        switch content {
        case .action(let action): action.kind.title
        case .label(let label): label
        }
    }
}
