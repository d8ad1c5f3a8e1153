# ruby.rb
