# csharp.cs
