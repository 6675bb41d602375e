/// Figures as reports show them, for those who build lines of their own.
public enum Figures {
    /// Seconds in the unit that reads best.
    public static func time(_ seconds: Double) -> String { seconds.asTime }
    /// A share with one digit behind the point.
    public static func percentage(_ share: Double) -> String { share.asPercentage }
    /// Bytes in the unit that reads best.
    public static func bytes(_ bytes: Int) -> String { bytes.asBytes }
    /// Four significant digits.
    public static func number(_ value: Double) -> String { value.significant }
}
