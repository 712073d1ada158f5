using Attune.Inspection;

namespace Attune.Tests.Inspection;

public sealed class RowScanTests
{
    [Theory]
    [InlineData("", 0, "None", -1)]
    [InlineData(" \t\u00A0 ", 0, "None", -1)]
    [InlineData("one", 1, "Latin", -1)]
    [InlineData("The cat is here.", 4, "Latin", 0)]
    [InlineData("\"Der\" Hund ist (nicht) da", 5, "Latin", 1)]
    [InlineData("la maison est très belle et grande", 7, "Latin", 2)]
    [InlineData("de la", 2, "Latin", -1)]
    [InlineData("это фильм", 2, "Cyrillic", -1)]
    [InlineData("好电影", 3, "Han", -1)]
    [InlineData("とてもいい film", 6, "Kana", -1)]
    [InlineData("아주 좋은 영화", 3, "Hangul", -1)]
    [InlineData("😀 42", 2, "None", -1)]
    [InlineData("\U00020000\U00020001", 2, "Han", -1)]
    public void Text_WordsScriptAndLanguage(string text, int words, string script, int language)
    {
        var scan = RowScan.Of(text);
        Assert.Equal((words, script, language), (scan.Words, scan.Script.ToString(), scan.Language));
    }

    [Theory]
    [InlineData("1", "-1", false)]
    [InlineData("C", "C++", false)]
    [InlineData("label_1", "label_2", false)]
    [InlineData("top-up", "Top Up", true)]
    [InlineData("card_payment", "card payment", true)]
    [InlineData("typical", "atypical", false)]
    [InlineData("male", "female", false)]
    public void Labels_OfManyRows_AreOneOnlyWhereTheyDifferByCaseAndSpace(string first, string second, bool isOne) =>
        Assert.Equal(isOne, LabelSpelling.Of([first, second], [100, 100]).Any());

    [Theory]
    [InlineData("positive", "postive", true)]
    [InlineData("positive", "psoitive", true)]
    [InlineData("positive", "negative", false)]
    [InlineData("star 4", "star 5", false)]
    [InlineData("yes", "yet", false)]
    public void Labels_OfFewRows_AreOneWhereALetterDiffers(string frequent, string rare, bool isOne) =>
        Assert.Equal(isOne ? [(0, 1)] : [], LabelSpelling.Of([frequent, rare], [100, 2]));
}
